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
#include <upcall/task/from_callback.hpp>
#include <upcall/task/sleep.hpp>
#include <upcall/task/when_all.hpp>

#include "runtime/deadlock_test.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;
using testing::lock_both;

class deadlocks : public testing::deadlock_test {};
UPCALL_ON_EVERY_DRIVER(deadlocks);

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

// As the main task of `run` is spawned: it was told to be in run.cpp.
TEST_P(deadlocks, say_no_place_of_a_task_that_has_none) {
    spawn(wait(), "main", std::source_location{});
    EXPECT_NE(look().to_string().find("task \"main\" waits for an event"), std::string::npos);
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
    {
        const remote_scope ends_them = tasks().remote();
        EXPECT_FALSE(find_deadlock(home()));
        remote_scope copy = ends_them;
        copy = ends_them;
        EXPECT_FALSE(find_deadlock(home()));
    }
    EXPECT_TRUE(find_deadlock(home())) << "the handles are gone, and the scope still lives";
    std::optional<remote_scope> again(tasks().remote());
    EXPECT_FALSE(find_deadlock(home()));
    std::thread([mine = std::move(again)]() mutable { mine.reset(); }).join();
    again.reset();
    EXPECT_TRUE(find_deadlock(home()));
}

// Whoever posted and let go of the loop was counted no more, and the call not yet.
TEST_P(deadlocks, are_not_what_a_posted_call_may_end) {
    spawn(wait(), "waiter");
    home().run_ready();
    std::thread([&] { home().post([&] { never_.set(); }); }).join();
    EXPECT_FALSE(find_deadlock(home()));
    home().run();
    EXPECT_EQ(tasks().size(), 0u);
}

TEST_P(deadlocks, are_not_hidden_by_what_was_asked_of_a_scope) {
    spawn(wait(), "waiter");
    std::thread([handle = tasks().remote()] { handle.stop(); }).join();
    EXPECT_FALSE(find_deadlock(home())) << "that is still under way";
    EXPECT_TRUE(look());
}

// Until it was awaited to its end, each kept the loop's box.
TEST_P(deadlocks, are_not_hidden_by_what_has_arrived_in_a_group) {
    std::optional<completion<void>> promised;
    auto both = [&]() -> task<> {
        static_cast<void>(co_await when_all(
            from_callback<void>([&](completion<void> done) { promised = std::move(done); }),
            never_.wait()));
    };
    spawn(both(), "group");
    EXPECT_FALSE(look());
    promised->complete({});
    promised.reset();
    const auto found = look();
    ASSERT_EQ(found.tasks.size(), 1u);
    EXPECT_EQ(found.tasks[0].awaits, waits_for::event);
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
    running.tasks().spawn_now(lock_both(one_, one_), "twice");
    EXPECT_EQ(told_by(running).cycle, names{"twice"});
}

TEST_P(deadlocks, are_told_by_a_program_that_gave_out_a_handle) {
    program running(home());
    auto give_out = [&]() -> task<> {
        co_await with_scope([&](scope& inner) -> task<> {
            std::thread([handle = inner.remote()] {}).join();
            inner.spawn_now(lock_both(one_, one_), "child");
            co_return;
        });
    };
    running.tasks().spawn_now(give_out(), "parent");
    EXPECT_EQ(told_by(running).tasks.size(), 2u);
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
