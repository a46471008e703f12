// Tasks that wait for one another alone are found, named, and told once; what may still go on by
// itself is left in peace.
#include <upcall/runtime/deadlock.hpp>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <upcall/io/pipe.hpp>
#include <upcall/runtime/program.hpp>
#include <upcall/sync/channel.hpp>
#include <upcall/sync/event.hpp>
#include <upcall/sync/mutex.hpp>
#include <upcall/sync/semaphore.hpp>
#include <upcall/task/sleep.hpp>
#include <upcall/task/when_all.hpp>

#include "support/loop_test.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;
using names = std::vector<std::string>;

class deadlocks : public testing::loop_test {
  protected:
    void spawn(task<> what, const char* name) {
        if (!tasks_) tasks_.emplace(home().root());
        tasks_->spawn_now(std::move(what), name);
    }
    /// Runs what can run, and looks.
    deadlock look() {
        home().run_ready();
        return find_deadlock(home());
    }
    task<> wait() { static_cast<void>(co_await never_.wait()); }

    void end_tasks() {
        if (!tasks_) return;
        tasks_->cancel();
        home().run();
        tasks_.reset();
    }
    void TearDown() override {
        end_tasks();
        loop_test::TearDown();
    }

    mutex one_;
    mutex two_;
    event never_;
    std::optional<scope> tasks_;
};
UPCALL_ON_EVERY_DRIVER(deadlocks);

task<> lock_both(mutex& first, mutex& second) {
    const auto held = co_await first.lock();
    co_await yield();
    const auto both = co_await second.lock();
}

TEST_P(deadlocks, of_two_mutexes_are_a_circle) {
    spawn(lock_both(one_, two_), "first");
    spawn(lock_both(two_, one_), "second");
    const auto found = look();
    ASSERT_EQ(found.tasks.size(), 2u);
    EXPECT_EQ(found.tasks[0].name, "first");
    EXPECT_EQ(found.tasks[0].awaits, waits_for::mutex);
    EXPECT_EQ(found.tasks[0].held_by, "second");
    EXPECT_EQ(found.tasks[1].held_by, "first");
    EXPECT_EQ(found.cycle, (names{"first", "second"}));
    EXPECT_NE(found.to_string().find("\"first\" -> \"second\" -> \"first\""), std::string::npos);
    EXPECT_NE(found.to_string().find("deadlocks_are_named.cpp"), std::string::npos);
}

TEST_P(deadlocks, of_a_task_with_its_child_are_a_circle) {
    auto parent = [&]() -> task<> {
        const auto held = co_await one_.lock();
        co_await with_scope([&](scope& inner) -> task<> {
            inner.spawn_now(lock_both(one_, two_), "child");
            co_return;
        });
    };
    spawn(parent(), "parent");
    const auto found = look();
    ASSERT_EQ(found.tasks.size(), 2u);
    EXPECT_EQ(found.cycle.size(), 2u);
    EXPECT_EQ(std::set<std::string>(found.cycle.begin(), found.cycle.end()),
              (std::set<std::string>{"child", "parent"}));
}

TEST_P(deadlocks, of_one_mutex_with_itself_are_a_circle) {
    spawn(lock_both(one_, one_), "twice");
    EXPECT_EQ(look().cycle, names{"twice"});
}

TEST_P(deadlocks, may_have_no_circle) {
    channel<int> values(1);
    auto receive = [&]() -> task<> { static_cast<void>(co_await values.receive()); };
    spawn(receive(), "receiver");
    spawn(wait(), "waiter");
    const auto found = look();
    ASSERT_EQ(found.tasks.size(), 2u);
    EXPECT_EQ(found.tasks[0].awaits, waits_for::channel);
    EXPECT_EQ(found.tasks[1].awaits, waits_for::event);
    EXPECT_TRUE(found.tasks[1].held_by.empty());
    EXPECT_TRUE(found.cycle.empty());
    end_tasks();
}

TEST_P(deadlocks, are_found_inside_a_group) {
    auto both = [&]() -> task<> {
        static_cast<void>(co_await when_all(never_.wait(), never_.wait()));
    };
    spawn(both(), "group");
    EXPECT_EQ(look().tasks.size(), 2u);
}

TEST_P(deadlocks, of_many_are_counted) {
    for (int each = 0; each < 1000; ++each) spawn(wait(), "one of many");
    const auto found = look();
    EXPECT_EQ(found.tasks.size() + found.more, 1000u);
    EXPECT_EQ(found.tasks.size(), deadlock::listed_max);
}

TEST_P(deadlocks, are_not_what_waits_for_a_timer) {
    auto rest = [&]() -> task<> { static_cast<void>(co_await sleep(24h)); };
    spawn(rest(), "sleeper");
    spawn(wait(), "waiter");
    EXPECT_FALSE(look());
}

TEST_P(deadlocks, are_not_what_waits_for_the_kernel) {
    auto read = []() -> task<> {
        auto ends = pipe::open().value();
        std::byte byte{};
        static_cast<void>(co_await ends.reader.read({&byte, 1}));
    };
    spawn(read(), "reader");
    spawn(wait(), "waiter");
    EXPECT_FALSE(look());
}

TEST_P(deadlocks, are_not_what_another_thread_may_end) {
    spawn(wait(), "waiter");
    auto held = home().remote();
    EXPECT_FALSE(look());
    held.reset();
    EXPECT_TRUE(find_deadlock(home()));
    const remote_scope ends_them = tasks_->remote();
    EXPECT_FALSE(find_deadlock(home()));
}

// A program counted as one of those others, and its absence as one less.
TEST_P(deadlocks, do_not_depend_on_how_many_programs_there_are) {
    for (int programs = 0; programs <= 2; ++programs) {
        std::vector<std::unique_ptr<program>> running;
        for (int each = 0; each < programs; ++each)
            running.push_back(std::make_unique<program>(home()));
        spawn(wait(), "waiter");
        EXPECT_TRUE(look()) << programs;
        {
            const auto held = home().remote();
            EXPECT_FALSE(find_deadlock(home())) << programs;
        }
        end_tasks();
    }
}

TEST_P(deadlocks, are_none_while_something_is_ready) {
    spawn(lock_both(one_, one_), "about to start");
    EXPECT_FALSE(find_deadlock(home()));
}

TEST_P(deadlocks, are_told_once_by_a_program) {
    program running(home());
    int told = 0;
    running.on_deadlock(
        [&](const deadlock& found) {
            ++told;
            EXPECT_EQ(found.cycle, names{"twice"});
            home().post([&] { running.tasks().cancel(); });
        },
        1ms);
    running.tasks().spawn_now(lock_both(one_, one_), "twice");
    EXPECT_FALSE(running.run());
    EXPECT_EQ(told, 1);
}

TEST_P(deadlocks, that_are_told_leave_the_program_as_it_is) {
    program running(home());
    std::thread other;
    int told = 0;
    running.on_deadlock(
        [&](const deadlock&) {
            ++told;
            // Somebody whom nobody could know of.
            other = std::thread([&] { home().post([&] { never_.set(); }); });
        },
        1ms);
    bool went_on = false;
    auto go_on = [&]() -> task<> {
        const auto came = co_await never_.wait();
        went_on = came.has_value();
    };
    running.tasks().spawn_now(go_on(), "waiter");
    EXPECT_FALSE(running.run());
    if (other.joinable()) other.join();
    EXPECT_EQ(told, 1);
    EXPECT_TRUE(went_on);
}

}  // namespace
}  // namespace upcall
