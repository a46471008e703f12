// run, turn, run_ready and stop_running: what each runs, when each returns.
#include <upcall/task/sleep.hpp>

#include "support/loop_test.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;

class run_modes : public testing::loop_test {
  protected:
    void post(std::function<void()> call) { EXPECT_TRUE(home().post(std::move(call))); }
};
UPCALL_ON_EVERY_DRIVER(run_modes);

TEST_P(run_modes, run_returns_at_once_when_nothing_is_left) {
    const std::uint64_t before = home().resumptions();
    home().run();
    EXPECT_EQ(home().resumptions(), before);
    EXPECT_FALSE(home().alive());
}

TEST_P(run_modes, run_ends_with_the_last_task) {
    int ended = 0;
    scope tasks(home().root());
    auto body = [](int& count, duration length) -> task<> {
        EXPECT_TRUE(co_await sleep(length));
        ++count;
    };
    for (const duration length : {duration(3ms), duration(1ms), duration(0)})
        tasks.spawn_now(body(ended, length));
    EXPECT_TRUE(home().alive());
    home().run();
    EXPECT_EQ(ended, 3);
    // Went wrong: an empty scope kept the loop running for ever.
    EXPECT_FALSE(home().alive());
}

TEST_P(run_modes, a_turn_runs_what_was_ready_when_it_came_to_it) {
    int first = 0;
    int second = 0;
    post([&] {
        ++first;
        post([&] { ++second; });
    });
    EXPECT_TRUE(home().turn(loop::wait::none));
    EXPECT_EQ(first, 1);
    EXPECT_EQ(second, 0) << "posted within the turn: runs in the next";
    EXPECT_FALSE(home().turn(loop::wait::none));
    EXPECT_EQ(second, 1);
}

TEST_P(run_modes, a_turn_that_may_sleep_does_not_when_nothing_is_left) {
    EXPECT_FALSE(home().turn(loop::wait::allowed));
    int ran = 0;
    post([&] { ++ran; });
    EXPECT_FALSE(home().turn(loop::wait::allowed)) << "and not after the last of it ran";
    EXPECT_EQ(ran, 1);
}

TEST_P(run_modes, a_turn_that_may_sleep_waits_for_a_timer) {
    bool over = false;
    scope tasks(home().root());
    auto body = [](bool& flag) -> task<> {
        EXPECT_TRUE(co_await sleep(2ms));
        flag = true;
    };
    tasks.spawn_now(body(over));
    int turns = 0;
    while (home().turn(loop::wait::allowed)) ASSERT_LT(++turns, 100) << "it spins";
    EXPECT_TRUE(over);
}

TEST_P(run_modes, run_ready_runs_all_that_is_ready_and_does_not_sleep) {
    bool slept = false;
    int calls = 0;
    scope tasks(home().root());
    auto body = [](bool& flag) -> task<> {
        EXPECT_FALSE(co_await sleep(1h));
        flag = true;
    };
    tasks.spawn_now(body(slept));
    std::function<void()> chain = [&] {
        if (++calls < 5) post(chain);
    };
    post(chain);
    EXPECT_EQ(home().run_ready(), 6U) << "the task's start and five calls";
    EXPECT_EQ(calls, 5);
    EXPECT_FALSE(slept);
    EXPECT_EQ(home().run_ready(), 0U);
    tasks.cancel();
    EXPECT_EQ(home().run_ready(), 1U);
    EXPECT_TRUE(slept);
}

// Went wrong: run forgot a stop that had come before it.
TEST_P(run_modes, a_stop_before_run_counts_once) {
    int ran = 0;
    post([&] { ++ran; });
    home().stop_running();
    home().run();
    EXPECT_EQ(ran, 0);
    home().run();
    EXPECT_EQ(ran, 1);
}

TEST_P(run_modes, a_stop_from_inside_ends_run_after_the_turn) {
    int ran = 0;
    post([&] {
        ++ran;
        home().stop_running();
        post([&] { ++ran; });
    });
    post([&] { ++ran; });
    home().run();
    EXPECT_EQ(ran, 2) << "the rest of the turn still ran";
    EXPECT_TRUE(home().alive());
    home().run();
    EXPECT_EQ(ran, 3);
}

TEST_P(run_modes, background_work_keeps_nothing_running) {
    bool ended = false;
    auto body = [](bool& flag) -> task<> {
        EXPECT_EQ((co_await sleep(1h)).error(), errc::cancelled);
        flag = true;
    };
    scope service(home().background());
    service.spawn_now(body(ended));
    bool other = false;
    scope tasks(home().root());
    auto short_one = [](bool& flag) -> task<> {
        EXPECT_TRUE(co_await sleep(1ms));
        flag = true;
    };
    tasks.spawn_now(short_one(other));
    home().run();
    EXPECT_TRUE(other);
    EXPECT_FALSE(ended);
    EXPECT_FALSE(home().alive());
    service.cancel();
    home().run();
    EXPECT_TRUE(ended);
}

TEST_P(run_modes, an_exception_from_a_task_leaves_the_loop_usable) {
    auto thrower = []() -> task<> {
        co_await yield();
        throw std::runtime_error("x");
    };
    {
        scope tasks(home().root());
        tasks.spawn_now(thrower());
        home().run();
        EXPECT_TRUE(tasks.exception());
    }
    int ran = 0;
    post([&] { ++ran; });
    home().run();
    EXPECT_EQ(ran, 1);
}

TEST_P(run_modes, a_loop_is_not_turned_from_inside_itself) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(
        {
            post([&] { home().turn(loop::wait::none); });
            home().run();
        },
        "from inside itself");
}

TEST_P(run_modes, destroying_the_loop_runs_what_was_posted_and_ends_what_waits) {
    // A task that outlives its scope's owner cannot be: here the scope ends with its only task.
    struct program {
        explicit program(context& where) : tasks(where) {}
        scope tasks;
    };
    bool called = false;
    std::error_code why;
    auto body = [](std::error_code& into) -> task<> {
        const auto slept = co_await sleep(1h);
        into = slept ? std::error_code{} : slept.error();
    };
    auto running = std::make_unique<program>(home().root());
    running->tasks.spawn_now(body(why));
    home().run_ready();
    post([&] {
        called = true;
        running->tasks.cancel();
    });
    home().run();
    EXPECT_TRUE(called);
    EXPECT_EQ(why, errc::cancelled);
    running.reset();
    called = false;
    post([&] { called = true; });
    owned_loop().reset();
    EXPECT_TRUE(called);
}

}  // namespace
}  // namespace upcall
