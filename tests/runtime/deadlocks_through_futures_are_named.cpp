// Tasks that wait for one another by futures are found and named as those that wait by mutexes are;
// a future that somebody keeps, and what may still go on by itself, are left in peace.
#include <upcall/runtime/deadlock.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <upcall/io/pipe.hpp>
#include <upcall/io/signal.hpp>
#include <upcall/loop/close_report.hpp>
#include <upcall/runtime/program.hpp>
#include <upcall/task/future.hpp>
#include <upcall/task/sleep.hpp>
#include <upcall/task/start.hpp>
#include <upcall/task/timeout.hpp>
#include <upcall/task/when_all.hpp>
#include <vector>

#include "runtime/deadlock_test.hpp"
#include "support/latch.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;
using testing::lock_both;

template <class T>
task<> await(future<T> one) {
    static_cast<void>(co_await std::move(one));
}

task<> await_later(future<void>& other) {
    co_await yield();
    static_cast<void>(co_await std::move(other));
}

class deadlocks_of_futures : public testing::deadlock_test {
  protected:
    /// A task named "holder" has the first mutex, and waits for what `make` returns.
    template <class Make>
    void hold_and_await(Make make) {
        auto hold = [](mutex& one, Make made) -> task<> {
            const auto held = co_await one.lock();
            static_cast<void>(co_await made());
        };
        spawn(hold(one_, std::move(make)), "holder");
    }
    task<> lock_one() { static_cast<void>(co_await one_.lock()); }

    static const deadlocked_task& of(const deadlock& found, const std::string& name) {
        const auto at = std::find_if(found.tasks.begin(), found.tasks.end(),
                                     [&](const auto& one) { return one.name == name; });
        if (at == found.tasks.end()) {
            ADD_FAILURE() << "no task " << name << " in:\n" << found.to_string();
            static const deadlocked_task none;
            return none;
        }
        return *at;
    }
    /// From the one that is named first in `expected`.
    static void expect_circle(const deadlock& found, const names& expected) {
        names circle = found.cycle;
        ASSERT_FALSE(circle.empty()) << found.to_string();
        const auto first = std::find(circle.begin(), circle.end(), expected.front());
        if (first != circle.end()) std::rotate(circle.begin(), first, circle.end());
        EXPECT_EQ(circle, expected) << found.to_string();
    }

    /// Of tasks that end only when the other has: cancelling them waits for that, so they are left.
    scope& lasting_tasks() {
        if (!kept_) kept_ = std::make_unique<scope>(home().root());
        return *kept_;
    }
    void TearDown() override {
        if (kept_) {
            static auto* const spoken_for = new std::vector<scope*>;
            spoken_for->push_back(kept_.release());
            EXPECT_TRUE(loop::close(std::move(owned_loop()), 0s).leaked);
        }
        deadlock_test::TearDown();
    }

  private:
    std::unique_ptr<scope> kept_;
};
UPCALL_ON_EVERY_DRIVER(deadlocks_of_futures);

TEST_P(deadlocks_of_futures, each_of_the_other_are_a_circle) {
    future<void> of_first;
    future<void> of_second;
    of_first = submit(lasting_tasks(), await_later(of_second), "first");
    of_second = submit(lasting_tasks(), await_later(of_first), "second");
    auto found = look();
    ASSERT_EQ(found.tasks.size(), 2u);
    EXPECT_EQ(of(found, "first").awaits, waits_for::future);
    EXPECT_EQ(of(found, "first").held_by, "second");
    EXPECT_EQ(of(found, "second").held_by, "first");
    expect_circle(found, {"first", "second"});
    const std::string text = found.to_string();
    EXPECT_NE(text.find("waits for a future of \"second\""), std::string::npos) << text;
    EXPECT_NE(text.find("deadlocks_through_futures_are_named.cpp"), std::string::npos) << text;

    lasting_tasks().cancel();
    found = look();
    expect_circle(found, {"first", "second"});
}

TEST_P(deadlocks_of_futures, of_oneself_are_a_circle) {
    future<void> own;
    own = submit(lasting_tasks(), await_later(own), "itself");
    const auto found = look();
    EXPECT_EQ(found.cycle, names{"itself"});
    EXPECT_EQ(of(found, "itself").held_by, "itself");
}

TEST_P(deadlocks_of_futures, with_a_mutex_are_a_circle) {
    hold_and_await([&] { return submit(tasks(), lock_one(), "other"); });
    const auto found = look();
    ASSERT_EQ(found.tasks.size(), 2u);
    EXPECT_EQ(of(found, "holder").awaits, waits_for::future);
    EXPECT_EQ(of(found, "holder").held_by, "other");
    EXPECT_EQ(of(found, "other").awaits, waits_for::mutex);
    EXPECT_EQ(of(found, "other").held_by, "holder");
    expect_circle(found, {"holder", "other"});
}

TEST_P(deadlocks_of_futures, through_then_are_a_circle) {
    hold_and_await([&] {
        return submit(tasks(), lock_one(), "other")
            .then(tasks(), [](result<void>) { return 1; }, "last");
    });
    const auto found = look();
    ASSERT_EQ(found.tasks.size(), 3u);
    EXPECT_EQ(of(found, "holder").held_by, "last");
    EXPECT_EQ(of(found, "last").awaits, waits_for::future);
    EXPECT_EQ(of(found, "last").held_by, "other");
    expect_circle(found, {"holder", "last", "other"});
}

TEST_P(deadlocks_of_futures, in_what_then_returns_are_a_circle) {
    hold_and_await([&] {
        return submit(tasks(), yield())
            .then(
                tasks(), [this](result<void>) { return submit(tasks(), lock_one(), "other"); },
                "last");
    });
    const auto found = look();
    expect_circle(found, {"holder", "last", "other"});
}

TEST_P(deadlocks_of_futures, of_a_request_are_a_circle) {
    hold_and_await([&] { return submit(tasks(), one_.lock(), "the lock"); });
    const auto found = look();
    ASSERT_EQ(found.tasks.size(), 2u);
    EXPECT_EQ(of(found, "holder").held_by, "the lock");
    EXPECT_EQ(of(found, "the lock").held_by, "holder");
    EXPECT_GT(of(found, "the lock").spawned_at.line(), 0u);
    expect_circle(found, {"holder", "the lock"});
}

TEST_P(deadlocks_of_futures, of_what_was_combined_are_a_circle) {
    hold_and_await([&] {
        return when_all(never_.wait(),
                        submit(tasks(), when_all(lock_one(), never_.wait()), "group"));
    });
    const auto found = look();
    EXPECT_EQ(found.tasks.size(), 4u);
    EXPECT_EQ(of(found, "group").awaits, waits_for::event);
    EXPECT_EQ(found.cycle.size(), 2u) << found.to_string();
}

TEST_P(deadlocks_of_futures, of_a_future_are_a_circle) {
    hold_and_await([&] { return submit(tasks(), submit(tasks(), lock_one(), "other"), "outer"); });
    const auto found = look();
    EXPECT_EQ(found.tasks.size(), 3u);
    EXPECT_EQ(of(found, "holder").held_by, "outer");
    expect_circle(found, {"holder", "outer", "other"});
}

TEST_P(deadlocks_of_futures, of_another_scope_are_a_circle) {
    scope others(home().root());
    hold_and_await([&] { return submit(others, lock_one(), "other"); });
    expect_circle(look(), {"holder", "other"});
    others.cancel();
    end_tasks();
}

TEST_P(deadlocks_of_futures, given_to_callbacks_are_found) {
    bool called = false;
    start(tasks(), submit(tasks(), wait(), "waiter"), [&](auto) { called = true; });
    const auto found = look();
    ASSERT_EQ(found.tasks.size(), 2u);
    EXPECT_EQ(of(found, "waiter").awaits, waits_for::event);
    EXPECT_TRUE(found.cycle.empty());
    end_tasks();
    EXPECT_TRUE(called);
}

TEST_P(deadlocks_of_futures, are_told_by_a_program) {
    program running(home());
    running.tasks().spawn_now(
        [](scope& all, mutex& one) -> task<> {
            const auto held = co_await one.lock();
            auto lock = [](mutex& what) -> task<> { static_cast<void>(co_await what.lock()); };
            static_cast<void>(co_await submit(all, lock(one), "other"));
        }(running.tasks(), one_),
        "holder");
    expect_circle(told_by(running), {"holder", "other"});
}

// ---- what was dropped or has been delivered is nobody's ------------------------------------

TEST_P(deadlocks_of_futures, that_were_dropped_do_not_count) {
    submit(tasks(), wait(), "dropped") = {};
    EXPECT_EQ(look().tasks.size(), 1u);
    future<void> kept = submit(tasks(), wait(), "kept");
    EXPECT_FALSE(look()) << "whoever has it may cancel it";
    kept = {};
    EXPECT_EQ(look().tasks.size(), 2u);
}

TEST_P(deadlocks_of_futures, that_were_taken_do_not_count) {
    future<void> passing = submit(tasks(), yield());
    spawn(wait(), "waiter");
    EXPECT_FALSE(look()) << "what is made of its value may end on this loop";
    EXPECT_TRUE(passing.try_get());
    EXPECT_TRUE(find_deadlock(home()));
}

TEST_P(deadlocks_of_futures, are_none_while_one_is_ready) {
    event go;
    spawn(await(submit(tasks(), go.wait())), "waiter");
    EXPECT_TRUE(look());
    go.set();
    EXPECT_FALSE(find_deadlock(home()));
    EXPECT_FALSE(look()) << "all have ended";
    EXPECT_EQ(tasks().size(), 0u);
}

TEST_P(deadlocks_of_futures, that_have_arrived_in_a_group_do_not_hide_the_rest) {
    auto ready = submit(tasks(), yield());
    home().run_ready();
    ASSERT_TRUE(ready.ready());
    hold_and_await(
        [&] { return when_all(std::move(ready), submit(tasks(), yield()), one_.lock()); });
    EXPECT_EQ(look().cycle, names{"holder"});
}

// ---- what may go on ------------------------------------------------------------------------

TEST_P(deadlocks_of_futures, are_not_what_waits_for_a_timer) {
    hold_and_await([&] { return submit(tasks(), sleep(24h)); });
    spawn(lock_one(), "other");
    EXPECT_FALSE(look());
}

TEST_P(deadlocks_of_futures, are_not_what_waits_for_the_kernel) {
    auto read = []() -> task<> {
        auto ends = pipe::open().value();
        std::byte byte{};
        static_cast<void>(co_await ends.reader.read({&byte, 1}));
    };
    hold_and_await([&] { return submit(tasks(), read()); });
    spawn(lock_one(), "other");
    EXPECT_FALSE(look());
}

TEST_P(deadlocks_of_futures, are_not_what_has_a_time_limit) {
    hold_and_await([&] { return timeout(24h, submit(tasks(), lock_one())); });
    EXPECT_FALSE(look());
}

TEST_P(deadlocks_of_futures, are_not_what_another_thread_may_cancel) {
    future<void> theirs = submit(tasks(), wait(), "theirs");
    spawn(await(submit(tasks(), wait(), "ours")), "waiter");
    testing::latch looked(1);
    std::thread thread([&looked, mine = std::move(theirs)]() mutable {
        looked.wait();
        mine = {};
    });
    EXPECT_FALSE(look());
    looked.count_down();
    thread.join();
    EXPECT_EQ(look().tasks.size(), 3u);
}

TEST_P(deadlocks_of_futures, are_not_what_another_thread_has_cancelled) {
    bool ended = false;
    auto wait_and_tell = [&]() -> task<> {
        static_cast<void>(co_await never_.wait());
        ended = true;
    };
    future<void> theirs = submit(tasks(), wait_and_tell());
    home().run_ready();
    std::thread([mine = std::move(theirs)]() mutable {
        mine.cancel();
        mine = {};
    }).join();
    EXPECT_FALSE(find_deadlock(home())) << "that is still under way";
    EXPECT_FALSE(look());
    EXPECT_TRUE(ended);
}

// A thread that is blocked can end nothing before it goes on.
TEST_P(deadlocks_of_futures, that_a_thread_is_blocked_by_are_found) {
    std::thread thread([mine = submit(tasks(), lock_both(one_, one_), "twice")]() mutable {
        EXPECT_TRUE(mine.get());
    });
    deadlock found;
    while (!found) {
        found = look();
        std::this_thread::yield();
    }
    EXPECT_EQ(found.cycle, names{"twice"});
    end_tasks();
    thread.join();
}

TEST_P(deadlocks_of_futures, are_not_what_waits_for_another_loop) {
    auto other = testing::make_test_loop(GetParam());
    event there;
    scope theirs(other->root());
    hold_and_await([&] { return when_all(submit(theirs, there.wait()), one_.lock()); });
    EXPECT_FALSE(look());
    other->run_ready();
    EXPECT_FALSE(find_deadlock(*other)) << "a task of this loop may cancel it";
    there.set();
    other->run();
    const auto found = look();
    EXPECT_EQ(found.tasks.size(), 1u);
    EXPECT_EQ(found.cycle, names{"holder"}) << "what has arrived does not hide the rest";
    end_tasks();
}

TEST_P(deadlocks_of_futures, leave_the_background_aside) {
    scope services(home().background());
    auto heed = []() -> task<> {
        auto signals = signal_set::watch({SIGTERM});
        if (signals) static_cast<void>(co_await signals->next());
    };
    services.spawn_now(await(submit(services, heed(), "signals")), "service");
    home().run_ready();
    EXPECT_FALSE(find_deadlock(home())) << "nobody waits but it";
    hold_and_await([&] { return submit(tasks(), lock_one(), "other"); });
    const auto found = look();
    EXPECT_EQ(found.tasks.size(), 2u);
    expect_circle(found, {"holder", "other"});
    end_tasks();
    services.cancel();
    home().run_until([&] { return services.size() == 0; });
}

}  // namespace
}  // namespace upcall
