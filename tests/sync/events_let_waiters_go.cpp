// Events: who is let go, in which order, and what a cancelled wait leaves behind.
#include <upcall/sync/event.hpp>

#include <upcall/task/sleep.hpp>
#include <upcall/task/timeout.hpp>
#include <upcall/task/when_any.hpp>

#include "support/loop_test.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;

class events : public testing::loop_test {};
UPCALL_ON_EVERY_DRIVER(events);

template <class Event>
task<> wait_and_note(Event& on, std::vector<int>& noted, int number) {
    EXPECT_TRUE(co_await on.wait());
    noted.push_back(number);
}

task<std::error_code> wait_and_note_error(auto_event& on) {
    const auto waited = co_await on.wait();
    co_return waited ? std::error_code{} : waited.error();
}

task<> set_then_wait(auto_event& on) {
    on.set();
    EXPECT_FALSE(co_await sleep(1h));
}

TEST_P(events, a_set_event_lets_all_through) {
    run([]() -> task<> {
        event happened;
        std::vector<int> noted;
        co_await with_scope([&](scope& tasks) -> task<> {
            for (int i = 0; i < 3; ++i) tasks.spawn_now(wait_and_note(happened, noted, i));
            co_await yield();
            EXPECT_TRUE(noted.empty());
            happened.set();
            happened.reset();  // who was let go stays let go
        });
        EXPECT_EQ(noted, (std::vector<int>{0, 1, 2}));
        EXPECT_FALSE(happened.is_set());
        happened.set();
        EXPECT_TRUE(co_await happened.wait());
        EXPECT_TRUE(co_await happened.wait());
    });
}

TEST_P(events, an_auto_event_lets_one_through_for_each_set) {
    run([]() -> task<> {
        auto_event happened;
        std::vector<int> noted;
        co_await with_scope([&](scope& tasks) -> task<> {
            for (int i = 0; i < 3; ++i) tasks.spawn_now(wait_and_note(happened, noted, i));
            co_await yield();
            for (int i = 0; i < 3; ++i) {
                happened.set();
                EXPECT_FALSE(happened.is_set());
                co_await yield();
                EXPECT_EQ(noted.size(), static_cast<std::size_t>(i) + 1);
            }
        });
        EXPECT_EQ(noted, (std::vector<int>{0, 1, 2}));
        happened.set();
        happened.set();
        EXPECT_TRUE(co_await happened.wait());
        EXPECT_FALSE(happened.is_set()) << "two sets without a waiter count as one";
    });
}

TEST_P(events, a_cancelled_wait_has_no_effect) {
    run([]() -> task<> {
        auto_event happened;
        EXPECT_EQ((co_await timeout(1ms, happened.wait())).error(), errc::deadline_exceeded);
        std::vector<int> noted;
        co_await with_scope([&](scope& tasks) -> task<> {
            auto first = tasks.async(wait_and_note_error(happened));
            tasks.spawn_now(wait_and_note(happened, noted, 1));
            co_await yield();
            first.cancel();
            happened.set();
            EXPECT_EQ(co_await first.join(), errc::cancelled);
        });
        EXPECT_EQ(noted, std::vector<int>{1}) << "the set went to the one who still waited";
    });
}

TEST_P(events, a_wait_that_was_let_go_is_not_cancelled_any_more) {
    run([]() -> task<> {
        auto_event happened;
        auto any = co_await when_any(happened.wait(), set_then_wait(happened));
        EXPECT_EQ(any.index, 0U);
        EXPECT_TRUE(std::get<0>(any.outcomes));
        EXPECT_FALSE(happened.is_set());
    });
}

TEST_P(events, belong_to_one_loop) {
    event happened;
    run([&]() -> task<> {
        happened.set();
        EXPECT_TRUE(co_await happened.wait());
    });
    auto other = testing::make_test_loop(GetParam());
    testing::run_task(*other, [](event& foreign) -> task<> {
        EXPECT_EQ((co_await foreign.wait()).error(), errc::wrong_loop);
    }(happened));
}

TEST_P(events, destroying_one_that_somebody_waits_on_is_fatal) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(
        {
            scope tasks(home().root());
            std::vector<int> noted;
            auto happened = std::make_unique<event>();
            tasks.spawn_now(wait_and_note(*happened, noted, 1), "impatient");
            home().run_ready();
            happened.reset();
        },
        "event was destroyed while task \"impatient\" waited");
}

}  // namespace
}  // namespace upcall
