// Handlers that keep a loop from everything else are seen, named, and not held against those that
// are quick or asleep.
#include <upcall/loop/watchdog.hpp>

#include <thread>
#include <upcall/runtime/run.hpp>
#include <upcall/task/sleep.hpp>

#include "support/loop_test.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;

class stalls : public testing::loop_test {};
UPCALL_ON_EVERY_DRIVER(stalls);

/// Collects what is told, and lets a task go on when something was.
class witness {
  public:
    watchdog_options options(duration gap = 0s) {
        return {.threshold = 1ms, .least_gap = gap, .told = [this](const stall& seen) {
                    const std::lock_guard held(mutex_);
                    all_.push_back(seen);
                    changed_.notify_all();
                }};
    }
    /// Blocks the thread, as a handler should not.
    void await(std::size_t count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return all_.size() >= count; });
    }
    stall at(std::size_t index) {
        const std::lock_guard held(mutex_);
        return all_.at(index);
    }
    std::size_t count() {
        const std::lock_guard held(mutex_);
        return all_.size();
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<stall> all_;
};

task<> block(witness& seen, std::size_t until) {
    seen.await(until);
    co_return;
}

TEST_P(stalls, are_told_with_the_task_while_they_last) {
    witness seen;
    const watchdog watch(home(), seen.options());
    run([&]() -> task<> {
        co_await with_scope([&](scope& inner) -> task<> {
            inner.spawn_now(block(seen, 1), "blocker");
            co_return;
        });
    });
    EXPECT_GE(watch.stalls(), 1u);
    const stall first = seen.at(0);
    EXPECT_GE(first.running, 1ms);
#ifndef _WIN32
    EXPECT_EQ(first.task, "blocker");
    ASSERT_FALSE(first.awaited_by.empty());
    EXPECT_EQ(first.awaited_by[0], "test");
    EXPECT_NE(first.spawned_in.find("stalls_are_named.cpp"), std::string::npos);
    EXPECT_FALSE(first.stack.frames().empty());
    EXPECT_NE(first.to_string().find("task \"blocker\""), std::string::npos);
    EXPECT_NE(first.to_string().find("awaited by \"test\""), std::string::npos);
#endif
}

TEST_P(stalls, of_a_task_that_was_resumed_have_its_name) {
    witness seen;
    const watchdog watch(home(), seen.options());
    run([&]() -> task<> {
        co_await yield();
        seen.await(1);
    });
#ifndef _WIN32
    EXPECT_EQ(seen.at(0).task, "test");
#endif
}

TEST_P(stalls, of_posted_calls_have_no_task) {
    witness seen;
    const watchdog watch(home(), seen.options());
    home().post([&] { seen.await(1); });
    home().run();
    EXPECT_TRUE(seen.at(0).task.empty());
    EXPECT_NE(seen.at(0).to_string().find("a handler has run for"), std::string::npos);
}

TEST_P(stalls, are_counted_when_they_come_too_often_to_be_told) {
    witness seen;
    const watchdog watch(home(), seen.options(24h));
    run([&]() -> task<> {
        seen.await(1);
        for (std::uint64_t more = 2; more <= 4; ++more) {
            co_await yield();
            while (watch.stalls() < more) std::this_thread::yield();
        }
    });
    EXPECT_GE(watch.stalls(), 4u);
    EXPECT_EQ(seen.count(), 1u);
}

// The watchdog has fallen asleep by then, and is awakened by the turn that stalls.
TEST_P(stalls, after_a_long_quiet_are_seen) {
    witness seen;
    const watchdog watch(home(), seen.options());
    std::thread later([&] {
        // A hundred times the threshold, in which nothing runs. If it is not long enough for the
        // watchdog to fall asleep, the test is the one above.
        std::this_thread::sleep_for(100ms);
        home().post([&] { seen.await(1); });
    });
    home().run_until([&] { return seen.count() > 0; });
    later.join();
    EXPECT_TRUE(seen.at(0).task.empty());
}

TEST_P(stalls, are_none_while_the_loop_waits) {
    expect_no_stall quick(home(), 10s);
    run([&]() -> task<> { static_cast<void>(co_await sleep(20ms)); });
    EXPECT_TRUE(quick) << quick.what();
}

// The number of the handler to come, told in every turn that ran none, passed for one that lasts:
// a loop that was turned all the time with nothing ready had stalls.
TEST_P(stalls, are_not_told_of_turns_without_handlers) {
    struct counted : loop_activity {
        int awakened = 0;
    } activity;
    activity.awaken = [](loop_activity& of) noexcept { ++static_cast<counted&>(of).awakened; };
    activity.asleep = true;
    home().run_ready();
    home().report_to(&activity);
    home().turn(loop::wait::none);
    EXPECT_EQ(activity.awakened, 0);
    std::uint64_t told = 0;
    home().post([&] { told = activity.handler; });
    home().run_ready();
    EXPECT_GT(activity.awakened, 0);
    EXPECT_EQ(told, home().resumptions());
    EXPECT_EQ(activity.handler, 0U);
    home().report_to(nullptr);
}

TEST_P(stalls, fail_the_expectation_that_there_are_none) {
    expect_no_stall quick(home(), 1ms);
    run([&]() -> task<> {
        while (quick.what().empty()) std::this_thread::yield();
        co_return;
    });
    EXPECT_FALSE(quick);
    EXPECT_NE(quick.what().find("stall: "), std::string::npos);
}

#ifndef _WIN32
// A task that has ended is not named for what runs after it in the same handler.
TEST_P(stalls, of_who_goes_on_after_a_child_are_its_own) {
    witness seen;
    const watchdog watch(home(), seen.options());
    run([&]() -> task<> {
        co_await with_scope([&](scope& inner) -> task<> {
            auto quick = []() -> task<> { co_return; };
            auto child = inner.async(quick(), "child");
            co_await child.join();
            seen.await(1);
        });
    });
    EXPECT_EQ(seen.at(0).task, "test");
}
#endif

}  // namespace
}  // namespace upcall
