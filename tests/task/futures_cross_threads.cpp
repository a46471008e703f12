// A future may be used on another thread than its operation's loop: taken, waited for, cancelled,
// dropped. Where waiting would block a loop it is refused, in words.
#include <upcall/task/future.hpp>

#include <gmock/gmock.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <upcall/runtime/program.hpp>
#include <upcall/sync/event.hpp>
#include <upcall/task/sleep.hpp>
#include <upcall/task/start.hpp>
#include <vector>

#include "support/latch.hpp"
#include "support/loop_test.hpp"
#include "support/stream_ends.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::internal::CaptureStderr;
using ::testing::internal::GetCapturedStderr;

class futures_elsewhere : public testing::loop_test {
  protected:
    void finish(scope& tasks) {
        home().run_until([&] { return tasks.size() == 0; });
    }
    /// Runs the loop until `thread` has told so through `over`, and joins it.
    void run_until_joined(std::thread& thread, const std::atomic<bool>& over) {
        home().run_until([&] { return over.load(); });
        thread.join();
    }
    /// The last thing that such a thread does.
    void tell(std::atomic<bool>& over) {
        over = true;
        home().stop_running();
    }
    static int rounds() { return std::getenv("UPCALL_SOAK") ? 20'000 : 200; }
};
UPCALL_ON_EVERY_DRIVER(futures_elsewhere);

task<int> soon(int value) {
    co_await yield();
    co_return value;
}

TEST_P(futures_elsewhere, are_waited_for_on_many_threads) {
    constexpr int count = 8;
    event go;
    scope tasks(home().root());
    std::atomic<int> sum{0};
    testing::latch started(count);
    std::vector<std::thread> threads;
    auto wait = [](event& on, int value) -> task<int> {
        const auto set = co_await on.wait();
        co_return set ? value : -100;
    };
    for (int i = 0; i < count; ++i)
        threads.emplace_back([&, one = submit(tasks, wait(go, i))]() mutable {
            started.count_down();
            sum += one.get().value();
        });
    started.wait();
    EXPECT_EQ(sum, 0);
    go.set();
    finish(tasks);
    for (std::thread& one : threads) one.join();
    EXPECT_EQ(sum, 28);
}

TEST_P(futures_elsewhere, race_their_operations) {
    // A thread that waits, polls, cancels or drops, against a loop that completes.
    const int all = rounds();
    scope tasks(home().root());
    std::atomic<bool> over{false};
    std::atomic<int> taken{0};
    std::vector<future<int>> handed(static_cast<std::size_t>(all));
    std::vector<std::atomic<bool>> there(static_cast<std::size_t>(all));
    std::thread thread([&] {
        for (std::size_t round = 0; round < handed.size(); ++round) {
            while (!there[round]) std::this_thread::yield();
            future<int> mine = std::move(handed[round]);
            switch (round % 4) {
                case 0:
                    taken += mine.get().value();
                    break;
                case 1:
                    for (std::optional<result<int>> got; !got;) {
                        got = mine.try_get();
                        if (got) taken += got->value();
                    }
                    break;
                case 2:
                    mine.cancel();
                    taken += mine.get().value();
                    break;
                default:
                    mine.cancel();
                    ++taken;
            }
        }
        tell(over);
    });
    for (std::size_t round = 0; round < handed.size(); ++round) {
        handed[round] = submit(tasks, soon(1));
        there[round] = true;
        for (std::size_t turn = 0; turn < round % 3; ++turn) home().turn(loop::wait::none);
    }
    run_until_joined(thread, over);
    finish(tasks);
    EXPECT_EQ(taken, all);
}

TEST_P(futures_elsewhere, ask_their_operation_to_end) {
    event never_set;
    scope tasks(home().root());
    std::error_code why;
    std::atomic<bool> over{false};
    std::thread thread([&, waiting = submit(tasks, never_set.wait())]() mutable {
        waiting.cancel();
        waiting.cancel();
        why = waiting.get().error();
        tell(over);
    });
    run_until_joined(thread, over);
    EXPECT_EQ(why, errc::cancelled);
    EXPECT_EQ(tasks.size(), 0U);
}

/// Tells which thread destroyed the one that held the value last.
struct told_where {
    explicit told_where(std::thread::id& ended_on) : ended_on_(&ended_on) {}
    told_where(told_where&& other) noexcept : ended_on_(std::exchange(other.ended_on_, nullptr)) {}
    told_where& operator=(told_where&&) = delete;
    ~told_where() {
        if (ended_on_) *ended_on_ = std::this_thread::get_id();
    }

  private:
    std::thread::id* ended_on_;
};

task<told_where> make_told(std::thread::id& ended_on) {
    co_await yield();
    co_return told_where(ended_on);
}

TEST_P(futures_elsewhere, that_are_dropped_have_the_value_destroyed_on_its_loop) {
    scope tasks(home().root());
    std::thread::id late;
    std::thread::id early;
    future<told_where> ready = submit(tasks, make_told(late));
    finish(tasks);
    std::thread([kept = std::move(ready)]() mutable { kept = {}; }).join();
    std::thread([kept = submit(tasks, make_told(early))]() mutable { kept = {}; }).join();
    EXPECT_EQ(late, std::thread::id()) << "it waits for its loop";
    finish(tasks);
    home().run_ready();
    EXPECT_EQ(late, std::this_thread::get_id());
    EXPECT_EQ(early, std::this_thread::get_id());
}

TEST_P(futures_elsewhere, that_outlive_the_loop_are_dropped_where_they_are) {
    std::thread::id ended_on;
    future<told_where> kept;
    {
        scope tasks(home().root());
        kept = submit(tasks, make_told(ended_on));
        finish(tasks);
    }
    owned_loop().reset();
    std::thread::id dropper;
    std::thread([&, mine = std::move(kept)]() mutable {
        dropper = std::this_thread::get_id();
        mine.cancel();
        mine = {};
    }).join();
    EXPECT_EQ(ended_on, dropper);
}

TEST_P(futures_elsewhere, that_are_cancelled_and_then_dropped_leave_nothing_behind) {
    for (int round = 0; round < rounds(); ++round) {
        scope tasks(home().root());
        std::thread::id ended_on;
        future<told_where> one = submit(tasks, make_told(ended_on));
        std::thread thread([mine = std::move(one)]() mutable {
            mine.cancel();
            mine = {};
        });
        for (int turn = 0; turn < round % 4; ++turn) home().turn(loop::wait::none);
        finish(tasks);
        thread.join();
        home().run_ready();
        EXPECT_EQ(ended_on, std::this_thread::get_id());
    }
}

TEST_P(futures_elsewhere, are_ready_when_the_loop_ends_under_the_wait) {
    event never_set;
    std::error_code why;
    testing::latch started(1);
    std::thread thread;
    {
        program ending(home());
        thread = std::thread([&, waiting = submit(ending.tasks(), never_set.wait())]() mutable {
            started.count_down();
            why = waiting.get().error();
        });
        started.wait();
    }
    owned_loop().reset();
    thread.join();
    EXPECT_EQ(why, errc::cancelled);
}

TEST_P(futures_elsewhere, are_awaited_on_other_loops) {
    constexpr int count = 200;
    scope tasks(home().root());
    std::atomic<bool> over{false};
    std::vector<future<int>> handed;
    for (int i = 0; i < count; ++i) handed.push_back(submit(tasks, soon(i)));
    int sum = 0;
    std::thread thread([&] {
        auto other = testing::make_test_loop(GetParam());
        testing::run_task(*other, [&]() -> task<> {
            co_await with_scope([&](scope& mine) -> task<> {
                for (future<int>& one : handed) {
                    auto next = std::move(one).then(mine, [&](result<int> got) {
                        EXPECT_EQ(loop::current(), other.get());
                        return got.value();
                    });
                    const auto value = co_await std::move(next);
                    sum += value.value();
                }
            });
        }());
        other.reset();
        tell(over);
    });
    run_until_joined(thread, over);
    EXPECT_EQ(sum, count * (count - 1) / 2);
}

TEST_P(futures_elsewhere, whose_wait_on_another_loop_is_cancelled_end_on_their_own) {
    event never_set;
    scope tasks(home().root());
    std::atomic<bool> over{false};
    std::error_code why;
    std::thread thread([&, waiting = submit(tasks, never_set.wait())]() mutable {
        auto other = testing::make_test_loop(GetParam());
        {
            scope mine(other->root());
            future<void> here = submit(mine, std::move(waiting));
            for (int turn = 0; turn < 3; ++turn) other->turn(loop::wait::none);
            mine.cancel();
            other->run_until([&] { return mine.size() == 0; });
            why = here.get().error();
        }
        other.reset();
        tell(over);
    });
    run_until_joined(thread, over);
    EXPECT_EQ(why, errc::cancelled);
    EXPECT_EQ(tasks.size(), 0U);
}

// ---- refusals ------------------------------------------------------------------------------

TEST_P(futures_elsewhere, refuse_to_block_their_own_loop_and_say_what_waits_on_what) {
    run([&]() -> task<> {
        co_await with_scope([&](scope& tasks) -> task<> {
            tasks.where().set_name("reader", std::source_location::current());
            future<int> one = submit(tasks, soon(1), "configuration");
            CaptureStderr();
            const auto refused = one.get();
            const std::string told = GetCapturedStderr();
            EXPECT_EQ(refused.error(), errc::would_deadlock);
            EXPECT_THAT(told, HasSubstr("upcall: get() refused: "));
            EXPECT_THAT(told, HasSubstr("futures_cross_threads.cpp:"));
            EXPECT_THAT(told, HasSubstr(" would wait for \"configuration\" ("));
            EXPECT_THAT(told, HasSubstr(" of task \"reader\", which the loop of this thread has to "
                                        "complete; co_await it, or use `then`: "));
            EXPECT_TRUE(one) << "it is left as it was";
            const auto got = co_await std::move(one);
            EXPECT_EQ(got.value(), 1);
        });
    });
}

TEST_P(futures_elsewhere, refuse_to_wait_for_a_loop_that_this_thread_does_not_run) {
    scope tasks(home().root());
    future<int> one = submit(tasks, soon(1));
    CaptureStderr();
    const auto refused = one.get();
    const std::string told = GetCapturedStderr();
    EXPECT_EQ(refused.error(), errc::would_deadlock);
    EXPECT_THAT(told, HasSubstr(" of task \"main\", which the loop of this thread has to complete "
                                "but does not run; run the loop first: "));
    finish(tasks);
    EXPECT_EQ(one.get().value(), 1);
}

TEST_P(futures_elsewhere, refuse_to_block_another_loop) {
    scope tasks(home().root());
    future<int> one = submit(tasks, soon(1), "theirs");
    std::string told;
    std::thread([&] {
        auto other = testing::make_test_loop(GetParam());
        CaptureStderr();
        other->post([&] { EXPECT_EQ(one.get().error(), errc::would_deadlock); });
        other->run_ready();
        told = GetCapturedStderr();
    }).join();
    EXPECT_THAT(told, HasSubstr(" would wait for \"theirs\" ("));
    EXPECT_THAT(told,
                HasSubstr(" of another loop, and block the loop of this thread; co_await it"));
    finish(tasks);
    EXPECT_EQ(one.get().value(), 1);
}

}  // namespace
}  // namespace upcall
