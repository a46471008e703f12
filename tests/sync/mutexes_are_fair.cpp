// Mutexes and semaphores: first come, first served; cancelled waits take nothing.
#include <upcall/sync/mutex.hpp>
#include <upcall/sync/semaphore.hpp>

#include <upcall/task/sleep.hpp>
#include <upcall/task/timeout.hpp>

#include "support/loop_test.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;

class mutexes : public testing::loop_test {};
UPCALL_ON_EVERY_DRIVER(mutexes);
class semaphores : public testing::loop_test {};
UPCALL_ON_EVERY_DRIVER(semaphores);

task<> work_under(mutex& what, std::vector<int>& order, int& inside, int number) {
    auto held = co_await what.lock();
    EXPECT_TRUE(held);
    EXPECT_EQ(++inside, 1) << "one at a time";
    co_await yield();
    co_await yield();
    order.push_back(number);
    --inside;
}

TEST_P(mutexes, let_in_one_at_a_time_in_order) {
    run([]() -> task<> {
        mutex what;
        std::vector<int> order;
        int inside = 0;
        co_await with_scope([&](scope& tasks) -> task<> {
            for (int i = 0; i < 10; ++i) tasks.spawn_now(work_under(what, order, inside, i));
            co_return;
        });
        EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
        EXPECT_FALSE(what.is_locked());
    });
}

TEST_P(mutexes, are_handed_to_the_next_and_not_taken_in_between) {
    run([]() -> task<> {
        mutex what;
        std::vector<int> order;
        int inside = 0;
        auto held = co_await what.lock();
        co_await with_scope([&](scope& tasks) -> task<> {
            tasks.spawn_now(work_under(what, order, inside, 1));
            co_await yield();
            held->unlock();
            EXPECT_TRUE(what.is_locked());
            EXPECT_FALSE(what.try_lock());
        });
        EXPECT_EQ(order, std::vector<int>{1});
        EXPECT_TRUE(what.try_lock());
    });
}

TEST_P(mutexes, are_not_held_after_a_cancelled_wait) {
    run([]() -> task<> {
        mutex what;
        auto held = co_await what.lock();
        auto late = co_await timeout(1ms, what.lock());
        EXPECT_EQ(late.error(), errc::deadline_exceeded);
        held->unlock();
        EXPECT_FALSE(what.is_locked());
        auto moved = what.try_lock();
        mutex_guard other = std::move(moved);
        EXPECT_TRUE(other);
        EXPECT_FALSE(moved);
        EXPECT_TRUE(what.is_locked());
        other = {};
        EXPECT_FALSE(what.is_locked());
    });
}

task<> take(semaphore& from, std::size_t count, std::vector<int>& order, int number) {
    auto held = co_await from.acquire(count);
    EXPECT_TRUE(held);
    order.push_back(number);
    held->forget();
}

TEST_P(semaphores, admit_so_many_and_no_more) {
    run([]() -> task<> {
        semaphore places(3);
        int inside = 0;
        int most = 0;
        auto body = [&]() -> task<> {
            auto place = co_await places.acquire();
            EXPECT_TRUE(place);
            most = std::max(most, ++inside);
            co_await yield();
            --inside;
        };
        co_await with_scope([&](scope& tasks) -> task<> {
            for (int i = 0; i < 20; ++i) tasks.spawn_now(body());
            co_return;
        });
        EXPECT_EQ(most, 3);
        EXPECT_EQ(places.available(), 3U);
    });
}

TEST_P(semaphores, do_not_let_the_small_overtake_the_large) {
    run([]() -> task<> {
        semaphore from(2);
        std::vector<int> order;
        co_await with_scope([&](scope& tasks) -> task<> {
            tasks.spawn_now(take(from, 1, order, 1));
            tasks.spawn_now(take(from, 3, order, 2));
            tasks.spawn_now(take(from, 1, order, 3));
            co_await yield();
            co_await yield();
            EXPECT_EQ(order, std::vector<int>{1});
            EXPECT_FALSE(from.try_acquire()) << "there is one, but others were first";
            from.release(2);
            co_await yield();
            EXPECT_EQ(order, (std::vector<int>{1, 2}));
            from.release();
        });
        EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
    });
}

TEST_P(semaphores, serve_those_behind_one_that_gave_up) {
    run([]() -> task<> {
        semaphore from(1);
        std::vector<int> order;
        co_await with_scope([&](scope& tasks) -> task<> {
            auto large = tasks.async([](semaphore& of) -> task<std::error_code> {
                co_return (co_await of.acquire(5)).error();
            }(from));
            tasks.spawn_now(take(from, 1, order, 1));
            co_await yield();
            co_await yield();
            EXPECT_TRUE(order.empty());
            large.cancel();
            EXPECT_EQ(co_await large.join(), errc::cancelled);
        });
        EXPECT_EQ(order, std::vector<int>{1});
        EXPECT_EQ(from.available(), 0U);
    });
}

}  // namespace
}  // namespace upcall
