// loop::close and program::close: they wait for what the kernel holds, but not for ever; what is
// left is named and leaked.
#include <upcall/loop/close_report.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <upcall/io/stream.hpp>
#include <upcall/runtime/program.hpp>
#include <upcall/task/run_blocking.hpp>
#include <upcall/task/sleep.hpp>

#include "support/latch.hpp"
#include "support/loop_test.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;

/// A simulated kernel that takes a minute to give an operation back. Each stays, as the loop does
/// that it runs: what is leaked on purpose is to be found spoken for.
struct slow_kernel {
    explicit slow_kernel(duration cancel_takes) {
        sim_options options;
        options.cancel_delay = {cancel_takes, cancel_takes};
        kernel = new sim_kernel(options);
        static auto* const kept = new std::vector<sim_kernel*>;
        kept->push_back(kernel);
        home = loop::create(
                   [this](const driver_environment& lent) -> result<std::unique_ptr<driver>> {
                       return make_sim_driver(*kernel, lent);
                   },
                   testing::small_loop())
                   .value();
        running = std::make_unique<program>(*home);
    }

    scope& tasks() { return running->tasks(); }
    /// Until what was spawned waits.
    void settle() { home->run_ready(); }
    close_report close(duration grace) {
        return program::close(std::move(running), std::move(home), grace);
    }

    sim_kernel* kernel;
    std::unique_ptr<loop> home;
    std::unique_ptr<program> running;
};

std::pair<byte_stream, byte_stream> stream_pair(loop& home) {
    auto ends = home.via().open_pair(socket_type::stream).value();
    return {byte_stream(home, std::move(ends.first)), byte_stream(home, std::move(ends.second))};
}

task<> read_for_ever(loop& home) {
    auto ends = stream_pair(home);
    std::byte one[1];
    static_cast<void>(co_await ends.first.read(one));
}

TEST(closing, frees_a_loop_that_ends_in_time) {
    slow_kernel on(0s);
    on.tasks().spawn_now(read_for_ever(*on.home), "reader");
    on.tasks().spawn_now([]() -> task<> { static_cast<void>(co_await sleep(1h)); }(), "sleeper");
    on.settle();
    const auto before = on.kernel->now();
    const close_report left = on.close(1h);
    EXPECT_FALSE(left.leaked);
    EXPECT_EQ(left.tasks, 0U);
    EXPECT_EQ(left.to_string(), "");
    EXPECT_LT(on.kernel->now() - before, 1min);
}

TEST(closing, cancels_what_runs_and_waits_for_it) {
    slow_kernel on(60s);
    bool ended = false;
    on.tasks().spawn_now(
        [](loop& home, bool& over) -> task<> {
            co_await read_for_ever(home);
            over = true;
        }(*on.home, ended),
        "reader");
    on.settle();
    const close_report left = on.close(90s);
    EXPECT_FALSE(left.leaked);
    EXPECT_TRUE(ended);
}

TEST(closing, names_what_the_kernel_holds_when_the_grace_is_over) {
    slow_kernel on(60s);
    for (int i = 0; i < 2; ++i) on.tasks().spawn_now(read_for_ever(*on.home), "reader");
    on.tasks().spawn_now([]() -> task<> { static_cast<void>(co_await sleep(1h)); }(), "sleeper");
    on.settle();
    const auto before = on.kernel->now();
    const close_report left = on.close(10s);
    EXPECT_GE(on.kernel->now() - before, 10s);
    EXPECT_LT(on.kernel->now() - before, 11s);
    EXPECT_TRUE(left.leaked);
    EXPECT_EQ(left.tasks, 2U);
    EXPECT_EQ(left.handles, 4U);
    // Each as its task sees it, and as the stream's own, which serves it.
    ASSERT_EQ(left.operations.size(), 4U);
    for (std::size_t at = 0; at < 4; ++at) {
        const unfinished& one = left.operations[at];
        EXPECT_EQ(one.task, at < 2 ? "reader" : "background");
        EXPECT_EQ(one.awaits, waits_for::outside);
    }
    EXPECT_NE(std::string(left.operations[0].spawned_at.file_name()).find("closing"),
              std::string::npos);
    EXPECT_EQ(left.to_string(),
              "the loop is leaked, with 2 tasks and 4 handles; still under way: operations of "
              "\"reader\" (2), \"background\" (2)");
}

TEST(closing, lists_a_few_of_many) {
    slow_kernel on(60s);
    for (int i = 0; i < 70; ++i) on.tasks().spawn_now(read_for_ever(*on.home), "reader");
    on.settle();
    const close_report left = on.close(1s);
    EXPECT_EQ(left.tasks, 70U);
    EXPECT_EQ(left.operations.size(), close_report::listed_max);
    EXPECT_EQ(left.more, 140 - close_report::listed_max);
}

TEST(closing, gives_up_on_a_task_that_goes_on_though_it_was_cancelled) {
    slow_kernel on(0s);
    on.tasks().spawn_now(
        []() -> task<> {
            for (;;) co_await yield();
        }(),
        "stubborn");
    on.home->turn(loop::wait::none);
    const close_report left = on.close(0s);
    EXPECT_TRUE(left.leaked);
    EXPECT_EQ(left.tasks, 1U);
    EXPECT_EQ(left.to_string(), "the loop is leaked, with 1 task and 0 handles");
}

TEST(closing, without_a_grace_still_ends_what_need_not_wait) {
    slow_kernel on(0s);
    bool ended = false;
    on.tasks().spawn_now(
        [](bool& over) -> task<> {
            static_cast<void>(co_await sleep(1h));
            for (int i = 0; i < 20; ++i) co_await yield();
            over = true;
        }(ended),
        "tidy");
    on.settle();
    const close_report left = on.close(0s);
    EXPECT_TRUE(ended);
    EXPECT_FALSE(left.leaked);
}

TEST(closing, keeps_a_loop_for_a_scope_that_is_left) {
    slow_kernel on(0s);
    const close_report left = loop::close(std::move(on.home), 1s);
    EXPECT_TRUE(left.leaked);
    EXPECT_EQ(left.tasks, 0U);
    on.running.reset();  // its loop is still there
}

TEST(closing, keeps_a_loop_whose_streams_are_left) {
    slow_kernel on(0s);
    std::optional ends = stream_pair(*on.home);
    on.running.reset();
    const close_report left = loop::close(std::move(on.home), 1s);
    EXPECT_TRUE(left.leaked);
    EXPECT_EQ(left.handles, 2U);
    ends.reset();  // its loop is still there
}

/// What a thread of the pool is busy with cannot be taken back, on no driver.
class closing_with_a_job : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(drivers, closing_with_a_job,
                         ::testing::ValuesIn(testing::tested_kernels()),
                         [](const auto& instance) { return std::string(instance.param); });

TEST_P(closing_with_a_job, leaves_its_memory_to_it) {
    auto home = testing::make_test_loop(GetParam());
    ASSERT_TRUE(home);
    struct shared {
        std::atomic<bool> began{false};
        std::atomic<bool> ended{false};
        testing::latch open{1};
    };
    auto between = std::make_shared<shared>();
    auto stuck = [](std::shared_ptr<shared> seen) -> task<> {
        shared* with = seen.get();
        const auto done = co_await run_blocking([with] {
            with->began = true;
            with->open.wait();
            with->ended = true;
        });
        static_cast<void>(done);
    };
    auto* tasks = new scope(home->root());
    tasks->spawn_now(stuck(between), "stuck");
    while (!between->began) home->turn(loop::wait::none);
    const close_report left = loop::close(std::move(home), 1ms);
    EXPECT_TRUE(left.leaked);
    ASSERT_EQ(left.operations.size(), 1U);
    EXPECT_EQ(left.operations[0].task, "stuck");
    between->open.count_down();
    while (!between->ended) std::this_thread::yield();
}

}  // namespace
}  // namespace upcall
