// Sleeping: never early, in order, at the ends of the clock's range, and with the loop's time.
#include <upcall/task/sleep.hpp>

#include <upcall/task/this_task.hpp>

#include "support/loop_test.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;

class sleeps : public testing::loop_test {};
UPCALL_ON_EVERY_DRIVER(sleeps);

TEST_P(sleeps, are_never_early) {
    run([]() -> task<> {
        loop& home = co_await this_task::home();
        for (const duration length : {duration(0), duration(1), duration(1us), duration(2ms)}) {
            const time_point before = home.read_clock();
            EXPECT_TRUE(co_await sleep(length));
            EXPECT_GE(home.read_clock(), before + length);
        }
    });
}

// Went wrong: a sleep counted from the start of the turn, so that one that followed a computation
// was too short.
TEST_P(sleeps, count_from_now_and_not_from_the_start_of_the_turn) {
    if (GetParam() == "sim") GTEST_SKIP() << "time stands still while a simulated loop computes";
    run([]() -> task<> {
        loop& home = co_await this_task::home();
        static_cast<void>(home.now());
        const time_point start = home.via().now();
        while (home.via().now() < start + 5ms) {
        }
        const time_point before = home.via().now();
        EXPECT_TRUE(co_await sleep(3ms));
        EXPECT_GE(home.via().now(), before + 3ms);
    });
}

TEST_P(sleeps, of_nothing_or_in_the_past_end_in_the_next_turn) {
    run([]() -> task<> {
        loop& home = co_await this_task::home();
        EXPECT_TRUE(co_await sleep(-1h));
        EXPECT_TRUE(co_await sleep(duration::min()));
        EXPECT_TRUE(co_await sleep_until(time_point{}));
        EXPECT_TRUE(co_await sleep_until(time_point::min()));
        EXPECT_TRUE(co_await sleep_until(home.now() - 1h));
    });
}

TEST_P(sleeps, without_end_are_ended_by_cancellation_alone) {
    run([]() -> task<> {
        co_await with_scope([](scope& tasks) -> task<> {
            for (int i = 0; i < 40; ++i)
                tasks.spawn_now([](int number) -> task<> {
                    auto slept =
                        number % 2 ? co_await sleep(duration::max()) : co_await sleep_until(never);
                    EXPECT_EQ(slept.error(), errc::cancelled);
                }(i));
            EXPECT_TRUE(co_await sleep(2ms));
            tasks.cancel();
        });
    });
}

TEST_P(sleeps, end_in_order_of_their_deadlines_and_of_their_starts) {
    std::vector<int> order;
    run([&]() -> task<> {
        loop& home = co_await this_task::home();
        const time_point start = home.read_clock();
        auto body = [&](int number, time_point until) -> task<> {
            EXPECT_TRUE(co_await sleep_until(until));
            order.push_back(number);
        };
        co_await with_scope([&](scope& tasks) -> task<> {
            tasks.spawn_now(body(2, start + 2ms));
            tasks.spawn_now(body(3, start + 2ms));
            tasks.spawn_now(body(0, start + 1ms));
            tasks.spawn_now(body(4, start + 2ms));
            tasks.spawn_now(body(1, start + 1500us));
            co_return;
        });
    });
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST_P(sleeps, in_a_cancelled_task_end_at_once) {
    run([]() -> task<> {
        co_await with_scope([](scope& tasks) -> task<> {
            tasks.cancel();
            EXPECT_EQ((co_await sleep(1h)).error(), errc::cancelled);
            EXPECT_EQ((co_await sleep(0h)).error(), errc::cancelled);
        });
    });
}

}  // namespace
}  // namespace upcall
