// `submit`: the outcome waits in a future, is taken once, and nothing is lost when the future goes
// first. On one loop; futures_cross_threads.cpp has the rest.
#include <upcall/task/future.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <upcall/runtime/program.hpp>
#include <upcall/sync/event.hpp>
#include <upcall/task/sleep.hpp>
#include <upcall/task/start.hpp>
#include <upcall/task/timeout.hpp>
#include <upcall/task/when_all.hpp>
#include <upcall/task/when_any.hpp>

#include "support/loop_test.hpp"
#include "support/stack_use.hpp"
#include "support/stream_ends.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;

class futures : public testing::loop_test {
  protected:
    /// Runs the loop until `tasks` has no children left.
    void finish(scope& tasks) {
        home().run_until([&] { return tasks.size() == 0; });
    }
};
UPCALL_ON_EVERY_DRIVER(futures);

task<int> soon(int value) {
    co_await yield();
    co_return value;
}
task<int> throws() {
    co_await yield();
    throw std::runtime_error("on purpose");
}

static_assert(std::is_same_v<decltype(submit(std::declval<scope&>(), sleep({}))), future<void>>);
static_assert(std::is_same_v<decltype(submit(std::declval<scope&>(), soon(1))), future<int>>);
static_assert(std::movable<future<int>> && !std::copyable<future<int>>);

TEST_P(futures, become_ready_and_are_taken_once) {
    testing::stream_ends ends(home());
    scope tasks(home().root());
    std::byte room[8];
    future<std::size_t> reading = submit(tasks, ends.there.read(room));
    future<transfer> writing = submit(tasks, ends.here.write_all(bytes_of("abc")));
    EXPECT_FALSE(reading.ready());
    EXPECT_FALSE(writing.ready()) << "it was completed inside submit";
    EXPECT_FALSE(reading.try_get());
    finish(tasks);
    ASSERT_TRUE(reading.ready() && writing.ready());
    EXPECT_EQ(reading.try_get().value().value(), 3U);
    EXPECT_EQ(writing.get().value().bytes, 3U);
    EXPECT_FALSE(reading);
    EXPECT_FALSE(writing);
    EXPECT_FALSE(reading.ready());
    EXPECT_FALSE(reading.try_get());
}

TEST_P(futures, of_errors_and_of_nothing) {
    scope tasks(home().root());
    event never_set;
    future<void> limited = submit(tasks, timeout(1ms, never_set.wait()));
    future<void> given_way = submit(tasks, yield());
    finish(tasks);
    EXPECT_EQ(limited.get().error(), errc::deadline_exceeded);
    EXPECT_TRUE(given_way.get());
}

TEST_P(futures, are_awaited_in_tasks) {
    run([&]() -> task<> {
        co_await with_scope([&](scope& tasks) -> task<> {
            future<int> first = submit(tasks, soon(1));
            future<int> second = submit(tasks, soon(2));
            while (!second.ready()) co_await yield();
            const auto two = co_await std::move(second);
            const auto one = co_await std::move(first);
            EXPECT_EQ(one.value() + two.value(), 3);
            EXPECT_FALSE(first);
        });
    });
}

TEST_P(futures, are_combined_and_given_to_callbacks) {
    event never_set;
    run([&]() -> task<> {
        co_await with_scope([&](scope& tasks) -> task<> {
            auto both = co_await when_all(submit(tasks, soon(1)), submit(tasks, soon(2)));
            EXPECT_EQ(std::get<0>(both).value() + std::get<1>(both).value(), 3);
            auto any = co_await when_any(submit(tasks, never_set.wait()), submit(tasks, soon(3)));
            EXPECT_EQ(any.index, 1U);
            EXPECT_EQ(std::get<0>(any.outcomes).value().error(), errc::cancelled);
            const auto late = co_await timeout(1ms, submit(tasks, never_set.wait()));
            EXPECT_EQ(late.error(), errc::cancelled);
            int called = 0;
            start(tasks, submit(tasks, soon(4)),
                  [&](std::expected<result<int>, std::exception_ptr> got) {
                      called = got.value().value();
                  });
            co_await tasks.join();
            EXPECT_EQ(called, 4);
        });
    });
}

TEST_P(futures, throw_what_the_task_threw) {
    run([&]() -> task<> {
        co_await with_scope([&](scope& tasks) -> task<> {
            future<int> awaited = submit(tasks, throws());
            future<int> asked = submit(tasks, throws());
            bool caught = false;
            try {
                static_cast<void>(co_await std::move(awaited));
            } catch (const std::runtime_error&) {
                caught = true;
            }
            EXPECT_TRUE(caught);
            while (!asked.ready()) co_await yield();
            EXPECT_THROW(asked.get(), std::runtime_error);
            EXPECT_FALSE(asked);
            EXPECT_FALSE(tasks.exception()) << "it was taken, and is not the scope's";
        });
    });
}

TEST_P(futures, ask_their_operation_to_end) {
    scope tasks(home().root());
    event never_set;
    future<void> waiting = submit(tasks, never_set.wait());
    waiting.cancel();
    waiting.cancel();
    EXPECT_FALSE(waiting.ready()) << "it was completed inside cancel";
    finish(tasks);
    waiting.cancel();
    EXPECT_EQ(waiting.get().error(), errc::cancelled);
    waiting.cancel();
}

TEST_P(futures, have_the_value_when_cancelling_came_too_late) {
    for (int turns = 0; turns < 8; ++turns) {
        testing::stream_ends ends(home());
        scope tasks(home().root());
        std::byte room[1];
        future<std::size_t> reading = submit(tasks, ends.there.read(room));
        future<transfer> writing = submit(tasks, ends.here.write_all(bytes_of("x")));
        for (int turn = 0; turn < turns; ++turn) home().turn(loop::wait::none);
        reading.cancel();
        finish(tasks);
        const auto got = reading.get();
        if (got) {
            EXPECT_EQ(*got, 1U);
            continue;
        }
        EXPECT_EQ(got.error(), errc::cancelled);
        future<std::size_t> again = submit(tasks, ends.there.read(room));
        finish(tasks);
        EXPECT_EQ(again.get().value(), 1U) << "cancelled, and yet the byte is gone";
    }
}

TEST_P(futures, whose_wait_is_cancelled_lose_nothing) {
    // Each round cancels the waiting task one turn later.
    for (int turns = 0; turns < 8; ++turns) {
        testing::stream_ends ends(home());
        scope tasks(home().root());
        std::byte room[1];
        bool got_it = false;
        auto wait = [&](future<std::size_t> reading) -> task<> {
            const auto bytes = co_await std::move(reading);
            got_it = bytes.has_value();
            EXPECT_TRUE(bytes || bytes.error() == errc::cancelled);
        };
        started waiting = start(tasks, wait(submit(tasks, ends.there.read(room))),
                                [](std::expected<void, std::exception_ptr>) {});
        start(tasks, ends.here.write_all(bytes_of("x")), [](transfer sent) { EXPECT_TRUE(sent); });
        for (int turn = 0; turn < turns; ++turn) home().turn(loop::wait::none);
        waiting.cancel();
        finish(tasks);
        if (got_it) continue;
        future<std::size_t> again = submit(tasks, ends.there.read(room));
        finish(tasks);
        EXPECT_EQ(again.get().value(), 1U) << "cancelled, and yet the byte is gone";
    }
}

/// Counts how many are alive.
struct counted {
    explicit counted(int& alive) : alive_(&alive) { ++alive; }
    counted(counted&& other) noexcept : alive_(other.alive_) { ++*alive_; }
    counted& operator=(counted&&) = delete;
    ~counted() { --*alive_; }

  private:
    int* alive_;
};

task<counted> make_counted(int& alive) {
    co_await yield();
    co_return counted(alive);
}

TEST_P(futures, that_are_dropped_leave_the_operation_to_its_scope) {
    int alive = 0;
    bool went_on = false;
    scope tasks(home().root());
    {
        future<counted> early = submit(tasks, make_counted(alive));
        future<void> slept = submit(tasks, [](bool& done) -> task<> {
            const auto awake = co_await sleep(1ms);
            done = awake.has_value();
        }(went_on));
    }
    EXPECT_EQ(tasks.size(), 2U);
    finish(tasks);
    EXPECT_EQ(alive, 0) << "a value that nobody takes is destroyed";
    EXPECT_TRUE(went_on);
    {
        future<counted> late = submit(tasks, make_counted(alive));
        finish(tasks);
        EXPECT_EQ(alive, 1);
    }
    EXPECT_EQ(alive, 0);
}

TEST_P(futures, that_are_dropped_give_their_exception_to_the_scope) {
    scope tasks(home().root());
    submit(tasks, throws()) = {};
    finish(tasks);
    EXPECT_TRUE(tasks.exception());
}

TEST_P(futures, outlive_their_scope_and_their_loop) {
    future<int> kept;
    future<int> failed;
    {
        scope tasks(home().root());
        kept = submit(tasks, soon(5));
        failed = submit(tasks, throws());
        finish(tasks);
    }
    owned_loop().reset();
    kept.cancel();
    EXPECT_EQ(kept.get().value(), 5);
    EXPECT_THROW(failed.get(), std::runtime_error);
}

TEST_P(futures, are_ready_when_the_program_ends_before_its_operations) {
    event never_set;
    future<void> waiting;
    future<void> asleep;
    {
        program ending(home());
        waiting = submit(ending.tasks(), never_set.wait());
        asleep = submit(ending.tasks(), sleep_until(never));
        home().run_ready();
        EXPECT_FALSE(waiting.ready() || asleep.ready());
    }
    owned_loop().reset();
    EXPECT_EQ(waiting.get().error(), errc::cancelled);
    EXPECT_EQ(asleep.get().error(), errc::cancelled);
}

TEST_P(futures, that_are_empty_may_not_be_asked) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    future<int> empty;
    EXPECT_DEATH(static_cast<void>(empty.get()), "an empty future was awaited or asked");
}

// ---- then ----------------------------------------------------------------------------------

TEST_P(futures, chain_values_errors_and_requests) {
    testing::stream_ends ends(home());
    scope tasks(home().root());
    std::byte room[2];
    std::string seen;
    auto chain = submit(tasks, ends.here.write_all(bytes_of("ab")))
                     .then(tasks,
                           [&](result<transfer> sent) {
                               seen += sent->bytes == 2 ? "sent " : "? ";
                               return ends.there.read(room);  // a request
                           })
                     .then(tasks,
                           [&](result<std::size_t> bytes) {
                               seen += bytes.value() == 2 ? "read " : "? ";
                               return soon(6);  // a task
                           })
                     .then(tasks,
                           [&](result<int> six) {
                               seen += six.value() == 6 ? "six " : "? ";
                               return submit(tasks, soon(7));  // a future
                           })
                     .then(tasks,
                           [&](result<int> seven) -> result<std::string> {
                               seen += seven.value() == 7 ? "seven " : "? ";
                               return failure(errc::closed);  // an error, which is a value
                           })
                     .then(tasks, [&](result<std::string> none) {
                         seen += none.error() == errc::closed ? "closed" : "?";
                     });
    EXPECT_EQ(seen, "") << "`next` was called inside then";
    finish(tasks);
    EXPECT_EQ(seen, "sent read six seven closed");
    EXPECT_TRUE(chain.get());
}

TEST_P(futures, that_are_ready_call_next_from_the_loop) {
    scope tasks(home().root());
    future<int> ready = submit(tasks, soon(1));
    finish(tasks);
    bool called = false;
    future<void> chained = std::move(ready).then(tasks, [&](result<int> one) {
        EXPECT_EQ(one.value(), 1);
        EXPECT_EQ(loop::current(), &home());
        called = true;
    });
    EXPECT_FALSE(ready);
    EXPECT_FALSE(called);
    finish(tasks);
    EXPECT_TRUE(called);
}

TEST_P(futures, pass_exceptions_down_the_chain) {
    scope tasks(home().root());
    bool called = false;
    auto first_threw = submit(tasks, throws()).then(tasks, [&](result<int>) { called = true; });
    auto next_threw = submit(tasks, soon(1)).then(tasks, [](result<int>) -> int { throw 2; });
    finish(tasks);
    EXPECT_FALSE(called);
    EXPECT_THROW(first_threw.get(), std::runtime_error);
    EXPECT_THROW(next_threw.get(), int);
    EXPECT_FALSE(tasks.exception());
}

TEST_P(futures, pass_a_cancellation_up_the_chain) {
    event never_set;
    scope tasks(home().root());
    std::error_code seen;
    auto chain = submit(tasks, never_set.wait())
                     .then(tasks, [&](result<void> got) { seen = got.error(); })
                     .then(tasks, [](result<void>) { return 1; });
    home().run_ready();
    chain.cancel();
    finish(tasks);
    EXPECT_EQ(seen, errc::cancelled);
    EXPECT_EQ(chain.get().value(), 1) << "`next` was called, and decided";
    auto later = submit(tasks, soon(1)).then(tasks, [&](result<int>) { return never_set.wait(); });
    home().run_ready();
    later.cancel();
    finish(tasks);
    EXPECT_EQ(later.get().error(), errc::cancelled);
}

TEST_P(futures, may_be_destroyed_in_their_own_callback) {
    scope tasks(home().root());
    auto held = std::make_unique<future<void>>();
    int called = 0;
    *held = submit(tasks, soon(1)).then(tasks, [&](result<int>) {
        held.reset();
        ++called;
    });
    finish(tasks);
    EXPECT_EQ(called, 1);
    auto other = std::make_shared<future<int>>(submit(tasks, soon(2)));
    start(tasks, sleep(1ms), [&tasks, &called, other](result<void>) mutable {
        start(tasks, std::move(*other), [&called, other](auto got) mutable {
            EXPECT_EQ(got.value().value(), 2);
            other.reset();
            ++called;
        });
    });
    other.reset();
    finish(tasks);
    EXPECT_EQ(called, 2);
}

TEST_P(futures, chain_at_constant_stack) {
    constexpr int links = 20'000;
    testing::stack_use stack;
    event go;
    scope tasks(home().root());
    future<int> last = submit(tasks, go.wait()).then(tasks, [](result<void>) { return 0; });
    for (int link = 0; link < links; ++link)
        last = std::move(last).then(tasks, [&](result<int> before) {
            stack.look();
            return before.value() + 1;
        });
    home().run_ready();
    EXPECT_EQ(stack.looks(), 0U);
    go.set();
    finish(tasks);
    EXPECT_EQ(last.get().value(), links);
    EXPECT_EQ(stack.looks(), static_cast<std::size_t>(links));
    EXPECT_LE(stack.bytes(), 16384U);
}

}  // namespace
}  // namespace upcall
