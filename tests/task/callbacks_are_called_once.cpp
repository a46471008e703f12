// `start`: the callback is called exactly once, from the loop, with what the operation ended with;
// the scope waits for it, and what it throws is the scope's.
#include <upcall/task/start.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <upcall/sync/event.hpp>
#include <upcall/task/sleep.hpp>
#include <upcall/task/timeout.hpp>
#include <upcall/task/when_any.hpp>

#include "support/loop_test.hpp"
#include "support/stream_ends.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;

class callbacks : public testing::loop_test {
  protected:
    /// Runs the loop until `tasks` has no children left.
    void finish(scope& tasks) {
        home().run_until([&] { return tasks.size() == 0; });
    }
};
UPCALL_ON_EVERY_DRIVER(callbacks);

TEST_P(callbacks, get_the_outcome_from_the_loop_and_not_from_start) {
    testing::stream_ends ends(home());
    scope tasks(home().root());
    std::byte room[8];
    int calls = 0;
    start(tasks, ends.here.write_all(bytes_of("abc")), [&](transfer sent) {
        EXPECT_TRUE(sent);
        EXPECT_EQ(sent.bytes, 3U);
        EXPECT_EQ(loop::current(), &home());
        ++calls;
    });
    start(tasks, ends.there.read(room), [&](result<std::size_t> bytes) {
        EXPECT_EQ(bytes.value(), 3U);
        EXPECT_EQ(loop::current(), &home());
        ++calls;
    });
    EXPECT_EQ(calls, 0) << "a callback ran inside start";
    EXPECT_EQ(tasks.size(), 2U);
    finish(tasks);
    EXPECT_EQ(calls, 2);
    home().run_ready();
    EXPECT_EQ(calls, 2);
}

TEST_P(callbacks, come_later_even_for_what_is_done_at_once) {
    event set(true);
    run([&]() -> task<> {
        co_await with_scope([&](scope& tasks) -> task<> {
            bool called = false;
            start(tasks, set.wait(), [&](result<void> done) {
                EXPECT_TRUE(done);
                called = true;
            });
            EXPECT_FALSE(called);
            co_await tasks.join();
            EXPECT_TRUE(called);
        });
    });
}

TEST_P(callbacks, are_given_nothing_for_void_and_exceptions_as_values) {
    scope tasks(home().root());
    int calls = 0;
    auto throws = []() -> task<int> {
        co_await yield();
        throw std::runtime_error("on purpose");
    };
    auto returns = []() -> task<int> {
        co_await yield();
        co_return 7;
    };
    start(tasks, yield(), [&] { ++calls; });
    start(tasks, returns(), [&](std::expected<int, std::exception_ptr> got) {
        EXPECT_EQ(got.value(), 7);
        ++calls;
    });
    start(tasks, throws(), [&](std::expected<int, std::exception_ptr> got) {
        EXPECT_THROW(std::rethrow_exception(got.error()), std::runtime_error);
        ++calls;
    });
    finish(tasks);
    EXPECT_EQ(calls, 3);
    EXPECT_FALSE(tasks.exception()) << "it was handed over, and is not the scope's";
}

TEST_P(callbacks, take_combined_requests) {
    scope tasks(home().root());
    event never_set;
    int calls = 0;
    start(tasks, timeout(1ms, never_set.wait()), [&](result<void> got) {
        EXPECT_EQ(got.error(), errc::deadline_exceeded);
        ++calls;
    });
    start(tasks, when_any(never_set.wait(), sleep(1ms)), [&](auto any) {
        EXPECT_EQ(any.index, 1U);
        EXPECT_EQ(std::get<0>(any.outcomes).error(), errc::cancelled);
        ++calls;
    });
    finish(tasks);
    EXPECT_EQ(calls, 2);
}

TEST_P(callbacks, may_destroy_what_they_are_of) {
    auto ends = std::make_unique<testing::stream_ends>(home());
    scope tasks(home().root());
    auto reading = std::make_unique<started>();
    bool called = false;
    *reading = start(tasks, ends->there.receive(), [&](result<lease> chunk) {
        ASSERT_TRUE(chunk);
        EXPECT_EQ(chunk->text(), "x");
        reading->cancel();  // it is over
        EXPECT_TRUE(reading->done());
        reading.reset();
        ends.reset();
        called = true;
    });
    EXPECT_FALSE(reading->done());
    start(tasks, ends->here.write_all(bytes_of("x")), [](transfer sent) { EXPECT_TRUE(sent); });
    finish(tasks);
    EXPECT_TRUE(called);
}

TEST_P(callbacks, may_start_the_next_operation) {
    testing::stream_ends ends(home());
    scope tasks(home().root());
    constexpr int rounds = 200;
    int echoed = 0;
    std::byte out[4]{};
    std::byte in[4]{};
    std::byte back[4]{};
    int halves = 0;
    // What came back may be read before the write of it has completed, which owns `in` until then.
    std::function<void()> go = [&] {
        if (halves++ % 2 != 0 || echoed == rounds) return;
        start(tasks, ends.here.write_all(out), [](transfer sent) { EXPECT_TRUE(sent); });
        start(tasks, ends.there.read_exactly(in), [&](transfer got) {
            EXPECT_TRUE(got);
            start(tasks, ends.there.write_all(in), [&](transfer sent) {
                EXPECT_TRUE(sent);
                go();
            });
        });
        start(tasks, ends.here.read_exactly(back), [&](transfer got) {
            EXPECT_TRUE(got);
            ++echoed;
            go();
        });
    };
    go();
    finish(tasks);
    EXPECT_EQ(echoed, rounds);
}

TEST_P(callbacks, hear_of_a_cancellation_once) {
    scope tasks(home().root());
    event never_set;
    int calls = 0;
    started waiting = start(tasks, never_set.wait(), [&](result<void> got) {
        EXPECT_EQ(got.error(), errc::cancelled);
        ++calls;
    });
    waiting.cancel();
    waiting.cancel();
    EXPECT_EQ(calls, 0) << "a callback ran inside cancel";
    EXPECT_FALSE(waiting.done());
    finish(tasks);
    EXPECT_TRUE(waiting.done());
    waiting.cancel();
    home().run_ready();
    EXPECT_EQ(calls, 1);
}

TEST_P(callbacks, are_told_the_value_when_cancelling_came_too_late) {
    // Each round cancels one turn later: before, while and after the byte arrives.
    for (int turns = 0; turns < 8; ++turns) {
        testing::stream_ends ends(home());
        scope tasks(home().root());
        std::byte room[1];
        int calls = 0;
        result<std::size_t> got;
        started reading = start(tasks, ends.there.read(room), [&](result<std::size_t> bytes) {
            got = bytes;
            ++calls;
        });
        start(tasks, ends.here.write_all(bytes_of("x")), [](transfer sent) { EXPECT_TRUE(sent); });
        for (int turn = 0; turn < turns; ++turn) home().turn(loop::wait::none);
        reading.cancel();
        finish(tasks);
        EXPECT_EQ(calls, 1);
        if (got) {
            EXPECT_EQ(*got, 1U);
            continue;
        }
        EXPECT_EQ(got.error(), errc::cancelled);
        start(tasks, ends.there.read(room), [&](result<std::size_t> bytes) {
            EXPECT_EQ(bytes.value(), 1U) << "cancelled, and yet the byte is gone";
        });
        finish(tasks);
    }
}

TEST_P(callbacks, are_told_of_an_operation_that_was_started_again_by_itself) {
    // A transfer in many steps: what was asked between two of them still ends it.
    testing::stream_ends ends(home());
    scope tasks(home().root());
    const std::string much(std::size_t{8} << 20, 'x');
    transfer sent;
    started writing =
        start(tasks, ends.here.write_all(bytes_of(much)), [&](transfer got) { sent = got; });
    for (int turn = 0; turn < 3; ++turn) home().turn(loop::wait::none);
    writing.cancel();
    finish(tasks);
    EXPECT_TRUE(is_cancellation(sent.cause) || sent.cause == errc::interrupted)
        << sent.cause.message();
    EXPECT_LT(sent.bytes, much.size());
}

TEST_P(callbacks, go_with_their_scope) {
    event never_set;
    std::string order;
    run([&]() -> task<> {
        co_await with_scope([&](scope& tasks) -> task<> {
            start(tasks, never_set.wait(), [&](result<void> got) {
                EXPECT_EQ(got.error(), errc::cancelled);
                order += "callback ";
            });
            tasks.cancel();
            co_return;
        });
        order += "after";
    });
    EXPECT_EQ(order, "callback after");
}

TEST_P(callbacks, of_a_scope_that_was_cancelled_are_called_all_the_same) {
    event never_set;
    scope tasks(home().root());
    tasks.cancel();
    bool called = false;
    start(tasks, never_set.wait(), [&](result<void> got) {
        EXPECT_EQ(got.error(), errc::cancelled);
        called = true;
    });
    finish(tasks);
    EXPECT_TRUE(called);
}

TEST_P(callbacks, that_throw_fail_their_scope) {
    event never_set;
    bool other_was_cancelled = false;
    std::string caught;
    run([&]() -> task<> {
        try {
            co_await with_scope([&](scope& tasks) -> task<> {
                start(tasks, never_set.wait(), [&](result<void> got) {
                    other_was_cancelled = got.error() == errc::cancelled;
                });
                start(tasks, yield(), [] { throw std::runtime_error("out of a callback"); });
                co_return;
            });
        } catch (const std::runtime_error& thrown) {
            caught = thrown.what();
        }
    });
    EXPECT_EQ(caught, "out of a callback");
    EXPECT_TRUE(other_was_cancelled);
}

std::string told_name;
void keep_name(const char* name, const std::exception_ptr&) noexcept { told_name = name; }

TEST_P(callbacks, that_throw_are_named_to_the_handler_of_a_scope_that_supervises) {
    told_name.clear();
    bool other_was_called = false;
    scope tasks(home().root(), {.policy = on_failure::supervise, .limit = 0, .failed = keep_name});
    start(tasks, yield(), [] { throw 1; }, "thrower");
    start(tasks, sleep(1ms), [&](result<void> slept) {
        EXPECT_TRUE(slept);
        other_was_called = true;
    });
    finish(tasks);
    EXPECT_EQ(told_name, "thrower");
    EXPECT_TRUE(other_was_called);
}

TEST_P(callbacks, own_what_moves_only_and_let_go_of_it) {
    scope tasks(home().root());
    auto kept = std::make_shared<int>(1);
    start(tasks, yield(), [kept, alone = std::make_unique<int>(2)] { EXPECT_EQ(*alone, 2); });
    EXPECT_EQ(kept.use_count(), 2);
    finish(tasks);
    EXPECT_EQ(kept.use_count(), 1);
}

TEST_P(callbacks, count_as_children_and_do_not_wait_for_room) {
    scope tasks(home().root(), {.limit = 1});
    int calls = 0;
    for (int i = 0; i < 3; ++i) start(tasks, yield(), [&] { ++calls; });
    EXPECT_EQ(tasks.size(), 3U);
    finish(tasks);
    EXPECT_EQ(calls, 3);
}

TEST_P(callbacks, misuse_on_another_thread_is_fatal) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    scope tasks(home().root());
    EXPECT_DEATH(std::thread([&] { start(tasks, yield(), [] {}); }).join(),
                 "start was called on another thread than that of the loop of its scope, in task "
                 "\"main\"");
}

}  // namespace
}  // namespace upcall
