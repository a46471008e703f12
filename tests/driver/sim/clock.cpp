// Virtual time stands still while there is something to do, jumps when there is not, and is shared
// by all loops of a kernel; a wake from a real thread is not lost.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "support/driver_bench.hpp"

#include <upcall/driver/sim_kernel.hpp>

namespace upcall::test {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<driver_bench> bench_on(sim_kernel& kernel) {
    return std::make_unique<driver_bench>(
        [&](const driver_environment& lent) { return make_sim_driver(kernel, lent); });
}

TEST(sim_clock, jumps_to_the_deadline) {
    sim_kernel kernel;
    const auto bench = bench_on(kernel);
    const auto start = kernel.now();
    bench->via().poll(start + 24h);
    EXPECT_EQ(kernel.now(), start + 24h);
    EXPECT_EQ(bench->via().now(), kernel.now());
}

TEST(sim_clock, stops_at_an_event_before_the_deadline) {
    sim_kernel kernel;
    const auto bench = bench_on(kernel);
    auto [one, other] = bench->connected();
    bench_operation reading;
    bench_operation writing;
    std::byte buffer[8];
    const auto start = kernel.now();
    bench->read(reading, other, buffer);
    bench->write(writing, one, bytes_of("x"));
    while (!reading.done()) bench->turn(start + 24h);
    EXPECT_GT(kernel.now(), start);
    EXPECT_LT(kernel.now(), start + 1s);
}

TEST(sim_clock, moves_a_little_with_every_turn_of_a_busy_loop) {
    sim_options options;
    options.turn_cost = 1us;
    sim_kernel kernel(options);
    const auto bench = bench_on(kernel);
    const auto start = kernel.now();
    for (int at = 0; at <= 1000; ++at) bench->via().poll(time_point::min());
    EXPECT_EQ(kernel.now(), start + 1ms);
}

TEST(sim_clock, a_wake_ends_the_next_poll_without_a_jump) {
    sim_kernel kernel;
    const auto bench = bench_on(kernel);
    const auto start = kernel.now();
    bench->via().wake();
    bench->via().wake();
    bench->via().poll(start + 1h);
    EXPECT_EQ(kernel.now(), start);
    bench->via().poll(start + 1h);
    EXPECT_EQ(kernel.now(), start + 1h) << "wakes are coalesced";
}

TEST(sim_clock, wakes_of_other_threads_are_not_lost) {
    sim_kernel kernel;
    const auto bench = bench_on(kernel);
    constexpr int rounds = 2000;
    std::atomic<int> given{0};
    std::atomic<int> seen{0};
    std::thread other([&] {
        for (int round = 1; round <= rounds; ++round) {
            given.store(round);
            bench->via().wake();
            while (seen.load() < round) std::this_thread::yield();
        }
    });
    int polls = 0;
    while (seen.load() < rounds) {
        bench->via().poll(never);
        ++polls;
        seen.store(given.load());
    }
    other.join();
    EXPECT_LE(polls, rounds) << "polls that nobody ended";
}

// What another thread finished may be queued before its wake is seen.
TEST(sim_clock, stands_still_while_something_is_ready) {
    sim_kernel kernel;
    const auto bench = bench_on(kernel);
    bench_operation op;
    op.via = &bench->via();
    op.begin(bench->root());
    op.complete();
    const auto start = kernel.now();
    bench->via().poll(start + 1h);
    EXPECT_EQ(kernel.now(), start);
    EXPECT_TRUE(bench->turn());
    EXPECT_TRUE(op.done());
}

// A loop that waits for all others waits on their behalf: a wake of any of them ends it.
TEST(sim_clock, a_wake_of_another_loop_ends_the_wait_for_both) {
    sim_kernel kernel;
    const auto one = bench_on(kernel);
    const auto other = bench_on(kernel);
    constexpr int rounds = 500;
    std::atomic<int> given{0};
    std::atomic<int> seen{0};
    std::thread waker([&] {
        for (int round = 1; round <= rounds; ++round) {
            given.store(round);
            (round % 2 == 0 ? one : other)->via().wake();
            while (seen.load() < round) std::this_thread::yield();
        }
    });
    while (seen.load() < rounds) {
        one->via().poll(never);
        other->via().poll(never);
        seen.store(given.load());
    }
    waker.join();
}

TEST(sim_clock, says_when_nothing_can_ever_happen) {
    sim_kernel kernel;
    const auto bench = bench_on(kernel);
    struct told {
        int times = 0;
        driver* wakes = nullptr;
    } seen{0, &bench->via()};
    kernel.on_stall(
        [](void* argument) noexcept {
            auto* self = static_cast<told*>(argument);
            ++self->times;
            self->wakes->wake();
        },
        &seen);
    bench->via().poll(never);
    EXPECT_EQ(seen.times, 1);
    bench->via().poll(kernel.now() + 1s);
    EXPECT_EQ(seen.times, 1) << "a deadline is something that will happen";
}

TEST(sim_clock, waits_for_every_loop_before_it_jumps) {
    sim_kernel kernel;
    const auto one = bench_on(kernel);
    const auto other = bench_on(kernel);
    const auto start = kernel.now();
    // Turn about, as who runs several loops on one thread does it.
    one->via().poll(start + 10s);
    EXPECT_EQ(kernel.now(), start) << "the other may still have something to do";
    other->via().poll(start + 3s);
    EXPECT_EQ(kernel.now(), start + 3s) << "the earlier deadline";
    one->via().poll(start + 10s);
    EXPECT_EQ(kernel.now(), start + 3s) << "the other has not run since its deadline";
    other->via().poll(start + 20s);
    EXPECT_EQ(kernel.now(), start + 10s);
}

TEST(sim_clock, is_not_held_up_by_a_loop_that_is_not_run) {
    sim_kernel kernel;
    const auto one = bench_on(kernel);
    const auto idle = bench_on(kernel);
    idle->via().poll(time_point::min());
    const auto deadline = kernel.now() + 5s;
    while (kernel.now() < deadline) one->via().poll(deadline);
    EXPECT_EQ(kernel.now(), deadline);
}

TEST(sim_clock, lets_two_loops_talk) {
    sim_kernel kernel;
    const auto one = bench_on(kernel);
    const auto other = bench_on(kernel);
    handle listener = one->listening();
    const address where = *one->via().local_address(*listener.record());
    handle client = *other->via().open_socket(address_family::ipv4, socket_type::stream);
    bench_operation accepting;
    bench_operation connecting;
    one->accept(accepting, listener);
    other->connect(connecting, client, where);
    const auto pump = [&](const auto& holds) {
        while (!holds()) {
            one->turn(never);
            other->turn(never);
        }
    };
    pump([&] { return accepting.done() && connecting.done(); });
    ASSERT_GE(accepting.result, 0);
    // What one loop accepted, the other may adopt.
    handle server = *other->via().adopt_accepted(static_cast<native_handle>(accepting.result));
    bench_operation writing;
    bench_operation reading;
    std::byte buffer[8];
    other->read(reading, client, buffer);
    other->write(writing, server, bytes_of("hi"));
    pump([&] { return reading.done() && writing.done(); });
    EXPECT_GT(reading.result, 0);
}

}  // namespace
}  // namespace upcall::test
