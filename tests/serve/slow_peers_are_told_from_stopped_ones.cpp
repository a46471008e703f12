#include <gtest/gtest.h>

#include "serve/transfer_watch.hpp"

namespace {

using upcall_serve::transfer_watch;
using namespace std::chrono_literals;
using clock_time = std::chrono::steady_clock::time_point;

constexpr clock_time start{1000s};

TEST(transfer_watch, a_peer_that_takes_nothing_is_given_up) {
    const transfer_watch watch(start, 30s, 500);
    EXPECT_FALSE(watch.expired(start + 30s - 1ns));
    EXPECT_TRUE(watch.expired(start + 30s));
    EXPECT_EQ(watch.deadline(), start + 30s);
}

TEST(transfer_watch, taking_nothing_more_counts_from_the_last_progress) {
    transfer_watch watch(start, 30s, 500);
    watch.progressed(100'000, start + 10s);
    watch.progressed(0, start + 20s);
    EXPECT_EQ(watch.deadline(), start + 40s);
}

TEST(transfer_watch, one_byte_a_second_is_too_slow) {
    transfer_watch watch(start, 30s, 500);
    clock_time at = start;
    while (!watch.expired(at)) {
        at += 1s;
        watch.progressed(1, at);
        ASSERT_LE(at, start + 30s);
    }
    EXPECT_EQ(at, start + 30s);
}

TEST(transfer_watch, the_least_rate_is_fast_enough_for_ever) {
    transfer_watch watch(start, 30s, 500);
    for (int second = 1; second < 3600; ++second) {
        watch.progressed(500, start + std::chrono::seconds(second));
        ASSERT_FALSE(watch.expired(start + std::chrono::seconds(second))) << second;
    }
}

TEST(transfer_watch, a_fast_start_does_not_pay_for_a_slow_end) {
    transfer_watch watch(start, 30s, 500);
    watch.progressed(1'000'000'000, start + 1s);
    clock_time at = start + 1s;
    while (!watch.expired(at) && at < start + 1h) {
        at += 1s;
        watch.progressed(1, at);
    }
    EXPECT_LE(at, start + 61s);
}

TEST(transfer_watch, without_a_rate_any_progress_will_do) {
    transfer_watch watch(start, 30s, 0);
    for (int i = 1; i < 1000; ++i) {
        const clock_time at = start + i * 29s;
        ASSERT_FALSE(watch.expired(at));
        watch.progressed(1, at);
    }
}

}  // namespace
