// The n-th allocation fails, for n = 1, 2, …: each time the failure surfaces where it is
// documented, as an exception or an error, and the loop and all tasks end in order.
#include <upcall/sync/channel.hpp>
#include <upcall/sync/loop_channel.hpp>
#include <upcall/task/future.hpp>
#include <upcall/task/scope.hpp>
#include <upcall/task/sleep.hpp>
#include <upcall/task/start.hpp>
#include <upcall/task/timeout.hpp>
#include <upcall/task/when_all.hpp>

#include "support/counting_new.hpp"
#include "support/loop_test.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;

class failed_allocations : public testing::loop_test {
  protected:
    void SetUp() override {
#ifdef UPCALL_TEST_SANITIZED
        GTEST_SKIP() << "the sanitizers' own operator new cannot be made to fail";
#endif
        if (GetParam() == "sim") GTEST_SKIP() << "out of memory ends a simulation";
        loop_test::SetUp();
        recycler_bypass(true);
    }
    void TearDown() override {
        recycler_bypass(false);
        loop_test::TearDown();
    }
};
UPCALL_ON_EVERY_DRIVER(failed_allocations);

task<> count_one(int& count) {
    co_await yield();
    ++count;
}
task<int> value_of(int value) {
    co_await yield();
    co_return value;
}

struct tally {
    int spawned = 0;
    int refused = 0;  // as an error
    int thrown = 0;   // as an exception
    int ran = 0;
};

task<> spawn_some(scope& tasks, tally& seen) {
    for (int i = 0; i < 3; ++i) {
        try {
            auto spawned = co_await tasks.spawn(count_one(seen.ran));
            if (spawned) {
                ++seen.spawned;
            } else {
                EXPECT_EQ(spawned.error(), std::errc::not_enough_memory);
                ++seen.refused;
            }
            tasks.spawn_now(count_one(seen.ran));
            ++seen.spawned;
        } catch (const std::bad_alloc&) {
            ++seen.thrown;
        }
    }
}

TEST_P(failed_allocations, of_spawn_surface_at_the_call) {
    tally all;
    const int failures = testing::fail_each_allocation([&] {
        tally seen;
        try {
            scope tasks(home().root(), {.limit = 2});
            try {
                tasks.spawn_now(spawn_some(tasks, seen));
            } catch (const std::bad_alloc&) {
                ++seen.thrown;
            }
            home().run_until([&] { return tasks.size() == 0; });
            EXPECT_FALSE(tasks.exception());
        } catch (const std::bad_alloc&) {
            ADD_FAILURE() << "it surfaced somewhere else";
        }
        EXPECT_EQ(seen.ran, seen.spawned) << "what was spawned ran, and nothing else";
        EXPECT_LE(seen.refused + seen.thrown, 1);
        all.refused += seen.refused;
        all.thrown += seen.thrown;
    });
    EXPECT_GT(failures, 8);
    EXPECT_GT(all.refused, 0) << "the record of a child, in spawn";
    EXPECT_GT(all.thrown, 0) << "the frame of a task, where it is made";
}

TEST_P(failed_allocations, of_everything_else_are_thrown) {
    const int failures = testing::fail_each_allocation([&] {
        int ended = 0;
        try {
            run([&]() -> task<> {
                co_await with_scope([&](scope& tasks) -> task<> {
                    std::vector<task<int>> many;
                    for (int i = 0; i < 3; ++i) many.push_back(value_of(i));
                    auto values = co_await when_all(std::move(many));
                    EXPECT_EQ(values.size(), 3U);
                    auto child = tasks.async(value_of(1));
                    auto [a, b] = co_await when_all(value_of(2), timeout(1h, value_of(3)));
                    EXPECT_EQ(a + b, 5);
                    EXPECT_EQ(co_await child.join(), 1);
                    tasks.remote().stop();
                    channel<int> between(3);
                    EXPECT_TRUE(co_await between.send(1));
                    loop_channel<int> across(home(), 3);
                    int sent = 1;
                    EXPECT_TRUE(across.sender().try_send(sent));
                    EXPECT_EQ(*co_await across.receive(), 1);
                });
                ++ended;
            });
            EXPECT_EQ(ended, 1);
        } catch (const std::bad_alloc&) {
            EXPECT_EQ(ended, 0);
        }
        home().run_ready();
        EXPECT_FALSE(home().alive());
    });
    EXPECT_GT(failures, 15);
}

TEST_P(failed_allocations, of_callbacks_and_futures_begin_nothing) {
    const int failures = testing::fail_each_allocation([&] {
        scope tasks(home().root());
        int called = 0;
        int begun = 0;
        int ran = 0;
        future<int> last;
        try {
            start(tasks, sleep(0ms), [&](result<void>) { ++called; });
            ++begun;
            future<int> first = submit(tasks, value_of(1));
            ++begun;
            last = std::move(first).then(tasks, [&](result<int> one) {
                ++ran;
                return one.value();
            });
            ++begun;
        } catch (const std::bad_alloc&) {
        }
        home().run_until([&] { return tasks.size() == 0; });
        EXPECT_EQ(called, begun >= 1 ? 1 : 0);
        EXPECT_EQ(ran, begun == 3 ? 1 : 0);
        EXPECT_EQ(static_cast<bool>(last), begun == 3);
    });
    EXPECT_EQ(failures, 5) << "a record for each of the three, and the frames of two tasks";
}

// Went wrong: a loop whose mailbox could not be allocated was torn down as if it had one.
TEST_P(failed_allocations, of_making_a_loop_are_errors) {
    const int failures = testing::fail_each_allocation([&] {
        auto made = loop::create(
            [&](const driver_environment& lent) {
                return make_driver({.name = GetParam(), .uring = {}}, lent);
            },
            testing::small_loop());
        if (!made) {
            EXPECT_TRUE(made.error() == std::errc::not_enough_memory) << made.error().message();
        }
    });
    EXPECT_GT(failures, 2);
}

TEST_P(failed_allocations, of_posting_are_thrown) {
    const int failures = testing::fail_each_allocation([&] {
        int ran = 0;
        bool posted = false;
        try {
            posted = home().post([&ran] { ++ran; });
        } catch (const std::bad_alloc&) {
        }
        home().run_ready();
        EXPECT_EQ(ran, posted ? 1 : 0);
    });
    EXPECT_EQ(failures, 1);
}

}  // namespace
}  // namespace upcall
