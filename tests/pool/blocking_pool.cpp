// The pool runs every job once, within its bounds, and gives back what has not started.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>
#include <upcall/pool/blocking_pool.hpp>
#include <vector>

#include "support/latch.hpp"

namespace upcall {
namespace {

struct job : pool_job {
    std::function<void()> body;
    explicit job(std::function<void()> what) : body(std::move(what)) {
        pool_run = [](pool_job& self) noexcept { static_cast<job&>(self).body(); };
    }
};

void wait_until(const std::function<bool()>& holds) {
    while (!holds()) std::this_thread::yield();
}

TEST(blocking_pool, runs_every_job_once) {
    std::atomic<int> runs = 0;
    std::vector<job> jobs(2000, job([&] { ++runs; }));
    {
        blocking_pool pool({.threads_max = 4});
        for (auto& each : jobs) ASSERT_EQ(pool.submit(each), 0);
        wait_until([&] { return runs == 2000; });
    }
    EXPECT_EQ(runs, 2000);
}

TEST(blocking_pool, one_thread_keeps_the_order) {
    std::vector<int> order;
    testing::latch done(1);
    blocking_pool pool({.threads_max = 1});
    std::vector<job> jobs;
    for (int at = 0; at < 100; ++at)
        jobs.emplace_back([&order, &done, at] {
            order.push_back(at);
            if (at == 99) done.count_down();
        });
    for (auto& each : jobs) ASSERT_EQ(pool.submit(each), 0);
    done.wait();
    for (int at = 0; at < 100; ++at) EXPECT_EQ(order[static_cast<std::size_t>(at)], at);
}

TEST(blocking_pool, never_has_more_threads_than_allowed) {
    std::atomic<int> running = 0;
    testing::latch go(1);
    std::vector<job> jobs(10, job([&] {
                              ++running;
                              go.wait();
                          }));
    blocking_pool pool({.threads_max = 3});
    for (auto& each : jobs) ASSERT_EQ(pool.submit(each), 0);
    wait_until([&] { return running == 3; });
    const auto counts = pool.count();
    EXPECT_EQ(counts.threads, 3U);
    EXPECT_EQ(counts.idle, 0U);
    EXPECT_EQ(counts.queued, 7U);
    go.count_down();
    wait_until([&] { return running == 10; });
}

TEST(blocking_pool, gives_back_what_has_not_started) {
    testing::latch started(1);
    testing::latch go(1);
    bool ran = false;
    job running([&] {
        started.count_down();
        go.wait();
    });
    job queued([&] { ran = true; });
    blocking_pool pool({.threads_max = 1});
    ASSERT_EQ(pool.submit(running), 0);
    started.wait();
    ASSERT_EQ(pool.submit(queued), 0);
    EXPECT_FALSE(pool.cancel(running));
    EXPECT_TRUE(pool.cancel(queued));
    EXPECT_FALSE(pool.cancel(queued));
    EXPECT_EQ(pool.count().queued, 0U);
    go.count_down();
    testing::latch done(1);
    job last([&] { done.count_down(); });
    ASSERT_EQ(pool.submit(last), 0);
    done.wait();
    EXPECT_FALSE(ran);
}

TEST(blocking_pool, refuses_when_its_queue_is_full) {
    testing::latch started(1);
    testing::latch go(1);
    job running([&] {
        started.count_down();
        go.wait();
    });
    job first([] {});
    job second([] {});
    blocking_pool pool({.threads_max = 1, .queued_max = 1});
    ASSERT_EQ(pool.submit(running), 0);
    started.wait();
    EXPECT_EQ(pool.submit(first), 0);
    EXPECT_EQ(pool.submit(second), raw_error(errc::queue_full));
    go.count_down();
    wait_until([&] { return pool.count().queued == 0; });
}

TEST(blocking_pool, idle_threads_end_and_new_ones_start) {
    blocking_pool pool({.threads_max = 2, .idle_for = std::chrono::milliseconds(1)});
    for (int round = 0; round < 5; ++round) {
        testing::latch done(1);
        job once([&] { done.count_down(); });
        ASSERT_EQ(pool.submit(once), 0);
        done.wait();
        wait_until([&] { return pool.count().threads == 0; });
    }
}

TEST(blocking_pool, a_thread_serves_the_next_job_while_it_is_idle) {
    blocking_pool pool({.threads_max = 8});
    for (int round = 0; round < 20; ++round) {
        testing::latch done(1);
        job once([&] { done.count_down(); });
        ASSERT_EQ(pool.submit(once), 0);
        done.wait();
        wait_until([&] { return pool.count().idle == 1; });
    }
    EXPECT_EQ(pool.count().threads, 1U);
}

TEST(blocking_pool, refuses_a_job_when_it_can_start_no_thread_at_all) {
    blocking_pool pool({.threads_max = 1, .stack_bytes = std::size_t{1} << 50});
    bool ran = false;
    job never_run([&] { ran = true; });
    EXPECT_EQ(pool.submit(never_run), -EAGAIN);
    EXPECT_EQ(pool.count().threads_refused, 1U);
    EXPECT_FALSE(ran);
}

TEST(blocking_pool, cancel_against_start_runs_or_gives_back_each_job) {
    blocking_pool pool({.threads_max = 2});
    int given_back = 0;
    for (int round = 0; round < 20000; ++round) {
        std::atomic<bool> ran = false;
        job contested([&] { ran = true; });
        ASSERT_EQ(pool.submit(contested), 0);
        if (round % 2) std::this_thread::yield();
        if (pool.cancel(contested)) {
            ++given_back;
            EXPECT_FALSE(ran);
        } else {
            wait_until([&] { return ran.load(); });
        }
    }
    EXPECT_GT(given_back, 0);
}

}  // namespace
}  // namespace upcall
