// `from_callback`: what somebody else completes, once, from any thread, is awaited like any
// request; who forgets to complete is found out.
#include <upcall/task/from_callback.hpp>

#include <atomic>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <upcall/sync/event.hpp>
#include <upcall/task/future.hpp>
#include <upcall/task/sleep.hpp>
#include <upcall/task/start.hpp>
#include <upcall/task/timeout.hpp>
#include <vector>

#include "support/latch.hpp"
#include "support/loop_test.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;

class foreign_callbacks : public testing::loop_test {};
UPCALL_ON_EVERY_DRIVER(foreign_callbacks);

/// Another library: it calls back when it is told to.
struct library {
    std::vector<completion<int>> asked;
    int cancelled = 0;

    auto ask() {
        return from_callback<int>(
            [this](completion<int> done) { asked.push_back(std::move(done)); },
            [this]() noexcept { ++cancelled; });
    }
    completion<int> next() {
        completion<int> first = std::move(asked.front());
        asked.erase(asked.begin());
        return first;
    }
};

TEST_P(foreign_callbacks, give_a_value_or_an_error) {
    library other;
    run([&]() -> task<> {
        co_await with_scope([&](scope& tasks) -> task<> {
            future<int> value = submit(tasks, other.ask());
            future<int> error = submit(tasks, other.ask());
            EXPECT_EQ(other.asked.size(), 2U) << "it begins at once";
            completion<int> first = other.next();
            EXPECT_TRUE(first);
            first.complete(5);
            EXPECT_FALSE(first);
            other.next().complete(failure(std::errc::io_error));
            EXPECT_FALSE(value.ready()) << "it ended inside complete";
            const auto five = co_await std::move(value);
            EXPECT_EQ(five.value(), 5);
            const auto none = co_await std::move(error);
            EXPECT_EQ(none.error(), std::errc::io_error);
        });
    });
    EXPECT_EQ(other.cancelled, 0);
}

TEST_P(foreign_callbacks, may_come_before_the_call_returns) {
    run([&]() -> task<> {
        const auto now =
            co_await from_callback<int>([](completion<int> done) { done.complete(1); });
        EXPECT_EQ(now.value(), 1);
        const auto nothing =
            co_await from_callback<void>([](completion<void> done) { done.complete({}); });
        EXPECT_TRUE(nothing);
    });
}

TEST_P(foreign_callbacks, come_from_any_thread) {
    const int rounds = std::getenv("UPCALL_SOAK") ? 20'000 : 200;
    int sum = 0;
    run([&]() -> task<> {
        for (int round = 0; round < rounds; ++round) {
            std::thread thread;
            const auto got = co_await from_callback<int>([&](completion<int> done) {
                thread = std::thread([done = std::move(done)]() mutable { done.complete(1); });
            });
            sum += got.value();
            thread.join();
        }
    });
    EXPECT_EQ(sum, rounds);
}

TEST_P(foreign_callbacks, that_never_come_are_told_as_abandoned) {
    library other;
    run([&]() -> task<> {
        const auto at_once = co_await from_callback<int>([](completion<int>) {});
        EXPECT_EQ(at_once.error(), errc::abandoned);
        co_await with_scope([&](scope& tasks) -> task<> {
            future<int> waiting = submit(tasks, other.ask());
            future<int> replaced = submit(tasks, other.ask());
            std::thread([mine = other.next()] {}).join();
            other.asked.front() = {};
            const auto lost = co_await std::move(waiting);
            EXPECT_EQ(lost.error(), errc::abandoned);
            const auto gone = co_await std::move(replaced);
            EXPECT_EQ(gone.error(), errc::abandoned);
        });
    });
}

/// An interface of C: it hands a pointer through, and a number back.
void c_read(void (*done)(void* kept, int bytes), void* kept) { done(kept, 3); }

TEST_P(foreign_callbacks, of_c_carry_the_completion_as_a_pointer) {
    run([&]() -> task<> {
        const auto bytes = co_await from_callback<int>([](completion<int> done) {
            c_read([](void* kept, int count) { completion<int>::adopt(kept).complete(count); },
                   done.release());
            EXPECT_FALSE(done);
        });
        EXPECT_EQ(bytes.value(), 3);
    });
}

TEST_P(foreign_callbacks, are_asked_to_end_once_and_decide) {
    library other;
    scope tasks(home().root());
    future<int> obeys = submit(tasks, other.ask());
    future<int> too_late = submit(tasks, timeout(1ms, other.ask()));
    obeys.cancel();
    obeys.cancel();
    EXPECT_EQ(other.cancelled, 1);
    home().run_until([&] { return other.cancelled == 2; });  // by the deadline
    home().run_ready();
    EXPECT_FALSE(obeys.ready()) << "what was begun may still use what it was given";
    EXPECT_FALSE(too_late.ready());
    other.next().complete(failure(errc::cancelled));
    other.next().complete(9);
    home().run_until([&] { return tasks.size() == 0; });
    EXPECT_EQ(obeys.get().error(), errc::cancelled);
    EXPECT_EQ(too_late.get().value(), 9);
}

TEST_P(foreign_callbacks, are_not_begun_after_a_cancellation) {
    library other;
    scope tasks(home().root());
    tasks.cancel();
    future<int> refused = submit(tasks, other.ask());
    home().run_until([&] { return tasks.size() == 0; });
    EXPECT_EQ(refused.get().error(), errc::cancelled);
    EXPECT_TRUE(other.asked.empty());
    EXPECT_EQ(other.cancelled, 0);
}

TEST_P(foreign_callbacks, throw_what_beginning_them_threw) {
    library other;
    run([&]() -> task<> {
        std::string caught;
        auto wait = [&](auto request) -> task<> {
            try {
                static_cast<void>(co_await std::move(request));
            } catch (const std::runtime_error& thrown) {
                caught = thrown.what();
            }
        };
        co_await wait(from_callback<int>(
            [](completion<int>) { throw std::runtime_error("not even begun"); }));
        EXPECT_EQ(caught, "not even begun");
        caught.clear();
        co_await with_scope([&](scope& tasks) -> task<> {
            tasks.spawn_now(wait(from_callback<int>([&](completion<int> done) {
                other.asked.push_back(std::move(done));
                throw std::runtime_error("half begun");
            })));
            for (int turn = 0; turn < 3; ++turn) co_await yield();
            EXPECT_EQ(caught, "") << "the completion is still out there";
            other.next().complete(1);
            co_await tasks.join();
            EXPECT_EQ(caught, "half begun");
        });
    });
}

TEST_P(foreign_callbacks, that_come_twice_are_fatal) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(run([]() -> task<> {
                     static_cast<void>(co_await from_callback<int>([](completion<int> done) {
                         done.complete(1);
                         done.complete(2);
                     }));
                 }),
                 "a completion was completed twice, or after it was moved from");
}

// A task from a callback API, a future of that task, and a callback of that future.
TEST_P(foreign_callbacks, go_through_all_three_styles) {
    scope tasks(home().root());
    auto ask = []() -> task<int> {
        const auto got = co_await from_callback<int>([](completion<int> done) {
            std::thread([done = std::move(done)]() mutable { done.complete(20); }).detach();
        });
        co_return got.value() + 1;
    };
    int seen = 0;
    start(tasks, submit(tasks, ask()).then(tasks, [](result<int> got) { return got.value() * 2; }),
          [&](std::expected<result<int>, std::exception_ptr> got) { seen = got.value().value(); });
    home().run_until([&] { return tasks.size() == 0; });
    EXPECT_EQ(seen, 42);
}

}  // namespace
}  // namespace upcall
