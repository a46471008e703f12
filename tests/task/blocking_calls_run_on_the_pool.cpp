// `run_blocking`: a call on a thread of the pool is an operation like any other.
#include <upcall/task/run_blocking.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <upcall/pool/blocking_pool.hpp>
#include <upcall/task/future.hpp>
#include <upcall/task/sleep.hpp>
#include <upcall/task/start.hpp>
#include <upcall/task/timeout.hpp>
#include <upcall/task/when_all.hpp>

#include "support/latch.hpp"
#include "support/loop_test.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;

class blocking_calls : public testing::loop_test {};
UPCALL_ON_EVERY_DRIVER(blocking_calls);

TEST_P(blocking_calls, yield_what_they_return) {
    run([&]() -> task<> {
        const auto seven = co_await run_blocking([] { return 7; });
        EXPECT_EQ(seven.value(), 7);
        int calls = 0;
        const auto nothing = co_await run_blocking([&] { ++calls; });
        EXPECT_TRUE(nothing);
        EXPECT_EQ(calls, 1);
        const auto error =
            co_await run_blocking([]() -> result<int> { return failure(errc::closed); });
        EXPECT_EQ(error.error(), errc::closed);
        auto alone = std::make_unique<int>(8);
        // Named first: GCC 12 destroys a closure in a `co_await` expression twice.
        auto owning = [alone = std::move(alone)]() mutable { return std::move(alone); };
        auto moved = co_await run_blocking(std::move(owning));
        EXPECT_EQ(**moved, 8);
        auto both = co_await when_all(run_blocking([]() noexcept { return 1; }),
                                      run_blocking([]() noexcept { return 2; }));
        EXPECT_EQ(std::get<0>(both).value() + std::get<1>(both).value(), 3);
    });
}

TEST_P(blocking_calls, run_beside_the_loop) {
    if (GetParam() == "sim") GTEST_SKIP() << "the simulated kernel has one thread";
    run([&]() -> task<> {
        const auto where = co_await run_blocking([] { return std::this_thread::get_id(); });
        EXPECT_NE(where.value(), std::this_thread::get_id());
        EXPECT_TRUE(home().on_its_thread());
        testing::latch loop_went_on(1);
        co_await with_scope([&](scope& tasks) -> task<> {
            future<void> waiting = submit(tasks, run_blocking([&] { loop_went_on.wait(); }));
            for (int turn = 0; turn < 3; ++turn) co_await yield();
            EXPECT_FALSE(waiting.ready());
            loop_went_on.count_down();
            const auto ended = co_await std::move(waiting);
            EXPECT_TRUE(ended);
        });
    });
}

TEST_P(blocking_calls, throw_what_they_threw) {
    run([&]() -> task<> {
        std::string caught;
        try {
            static_cast<void>(
                co_await run_blocking([]() -> int { throw std::runtime_error("on purpose"); }));
        } catch (const std::runtime_error& thrown) {
            caught = thrown.what();
        }
        EXPECT_EQ(caught, "on purpose");
    });
}

TEST_P(blocking_calls, are_given_to_callbacks) {
    scope tasks(home().root());
    int seen = 0;
    start(tasks, run_blocking([]() noexcept { return 1; }),
          [&](result<int> got) { seen += got.value(); });
    start(tasks, run_blocking([]() -> int { throw 2; }),
          [&](std::expected<result<int>, std::exception_ptr> got) { seen += got ? 100 : 10; });
    home().run_until([&] { return tasks.size() == 0; });
    EXPECT_EQ(seen, 11);
}

TEST_P(blocking_calls, do_not_begin_after_a_cancellation) {
    scope tasks(home().root());
    tasks.cancel();
    bool called = false;
    future<void> refused = submit(tasks, run_blocking([&] { called = true; }));
    home().run_until([&] { return tasks.size() == 0; });
    EXPECT_EQ(refused.get().error(), errc::cancelled);
    EXPECT_FALSE(called);
}

/// A loop whose pool has one thread, and room for one call that waits.
class blocking_calls_in_line : public ::testing::TestWithParam<std::string> {
  protected:
    void SetUp() override {
        auto made = loop::create(
            [&](driver_environment lent) {
                lent.pool = &pool_;
                return make_driver({.name = GetParam(), .uring = {}}, lent);
            },
            testing::small_loop());
        ASSERT_TRUE(made);
        home_ = std::move(*made);
    }

    loop& home() noexcept { return *home_; }

  private:
    blocking_pool pool_{{.threads_max = 1, .queued_max = 1}};
    std::unique_ptr<loop> home_;
};
// On real drivers: the simulated kernel has no pool.
INSTANTIATE_TEST_SUITE_P(drivers, blocking_calls_in_line,
                         ::testing::ValuesIn(testing::tested_kernels()),
                         [](const auto& instance) { return std::string(instance.param); });

// Went wrong: io_uring used the process's own pool, whatever it was lent.
TEST_P(blocking_calls_in_line, are_taken_back_before_they_begin_and_awaited_afterwards) {
    testing::latch runs(1);
    testing::latch may_end(1);
    scope tasks(home().root());
    future<int> running = submit(tasks, run_blocking([&] {
                                     runs.count_down();
                                     may_end.wait();
                                     return 1;
                                 }));
    runs.wait();
    bool called = false;
    future<void> queued = submit(tasks, run_blocking([&] { called = true; }));
    future<void> refused = submit(tasks, run_blocking([&] { called = true; }));
    home().run_until([&] { return refused.ready(); });
    EXPECT_EQ(refused.get().error(), errc::queue_full);
    running.cancel();
    queued.cancel();
    home().run_until([&] { return queued.ready(); });
    EXPECT_EQ(queued.get().error(), errc::cancelled);
    EXPECT_FALSE(running.ready()) << "it cannot be interrupted";
    may_end.count_down();
    home().run_until([&] { return tasks.size() == 0; });
    EXPECT_EQ(running.get().value(), 1) << "what happened is not lost";
    EXPECT_FALSE(called);
}

}  // namespace
}  // namespace upcall
