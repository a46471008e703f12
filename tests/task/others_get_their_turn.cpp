// Fairness: a task that never has to wait gives way all the same; the driver and the timers are
// looked at however much is ready.
#include <upcall/sync/event.hpp>
#include <upcall/task/scope.hpp>
#include <upcall/task/sleep.hpp>
#include <upcall/task/this_task.hpp>

#include "support/loop_test.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;

class fairness : public testing::loop_test {
  protected:
    loop_options options() override {
        loop_options chosen = testing::small_loop();
        chosen.limits.inline_completions = 50;
        chosen.limits.resumptions_per_turn = 40;
        return chosen;
    }
};
UPCALL_ON_EVERY_DRIVER(fairness);

TEST_P(fairness, operations_done_at_once_use_up_a_share) {
    run([]() -> task<> {
        event set(true);
        int since_other = 0;
        int most = 0;
        bool over = false;
        auto other = [&]() -> task<> {
            while (!over) {
                most = std::max(most, std::exchange(since_other, 0));
                co_await yield();
            }
        };
        co_await with_scope([&](scope& tasks) -> task<> {
            tasks.spawn_now(other());
            for (int i = 0; i < 5000; ++i) {
                EXPECT_TRUE(co_await set.wait());
                ++since_other;
            }
            over = true;
        });
        EXPECT_LE(most, 51);
        EXPECT_GE(most, 50) << "and it is not taken away before";
    });
}

TEST_P(fairness, an_operation_that_had_to_wait_gives_the_share_back) {
    run([]() -> task<> {
        loop& home = co_await this_task::home();
        event set(true);
        for (int round = 0; round < 20; ++round) {
            EXPECT_TRUE(co_await sleep(0ms));
            const std::uint64_t before = home.resumptions();
            for (int i = 0; i < 50; ++i) EXPECT_TRUE(co_await set.wait());
            EXPECT_EQ(home.resumptions(), before) << "all of the share was there again";
            EXPECT_TRUE(co_await set.wait());
            EXPECT_EQ(home.resumptions(), before + 1) << "and no more";
        }
    });
}

TEST_P(fairness, checkpoints_use_it_up_too_and_tell_of_cancellation) {
    run([]() -> task<> {
        int since_other = 0;
        int most = 0;
        auto other = [&](child_task<std::error_code>& computing) -> task<> {
            for (int round = 0; round < 10; ++round) {
                most = std::max(most, std::exchange(since_other, 0));
                co_await yield();
            }
            computing.cancel();
        };
        auto compute = [&]() -> task<std::error_code> {
            for (;;) {
                auto go_on = co_await this_task::checkpoint();
                if (!go_on) co_return go_on.error();
                ++since_other;
            }
        };
        co_await with_scope([&](scope& tasks) -> task<> {
            auto computing = tasks.async(compute());
            tasks.spawn_now(other(computing));
            EXPECT_EQ(co_await computing.join(), errc::cancelled);
        });
        EXPECT_LE(most, 51);
        EXPECT_GE(most, 50);
    });
}

TEST_P(fairness, unconstrained_tasks_keep_their_turn) {
    run([]() -> task<> {
        event set(true);
        int turns = 0;
        bool over = false;
        auto other = [&]() -> task<> {
            while (!over) {
                ++turns;
                co_await yield();
            }
        };
        auto greedy = [&]() -> task<int> {
            const int before = turns;
            for (int i = 0; i < 5000; ++i) EXPECT_TRUE(co_await set.wait());
            co_return turns - before;
        };
        co_await with_scope([&](scope& tasks) -> task<> {
            tasks.spawn_now(other());
            co_await yield();
            EXPECT_EQ(co_await unconstrained(greedy()), 0);
            EXPECT_GT(co_await greedy(), 50);
            over = true;
        });
    });
}

TEST_P(fairness, timers_fire_however_much_is_ready) {
    run([]() -> task<> {
        loop& home = co_await this_task::home();
        bool over = false;
        auto busy = [&]() -> task<> {
            while (!over) co_await yield();
        };
        co_await with_scope([&](scope& tasks) -> task<> {
            for (int i = 0; i < 500; ++i) tasks.spawn_now(busy());
            co_await yield();
            const std::uint64_t before = home.resumptions();
            EXPECT_TRUE(co_await sleep(0ms));
            // It was due at the end of that turn, and ran behind all that were ready then.
            EXPECT_LE(home.resumptions() - before, 40U + 501U);
            over = true;
        });
    });
}

TEST_P(fairness, posted_calls_run_however_much_is_ready) {
    run([]() -> task<> {
        loop& home = co_await this_task::home();
        bool over = false;
        std::uint64_t before = 0;
        std::uint64_t waited = 0;
        auto busy = [&]() -> task<> {
            while (!over) co_await yield();
        };
        co_await with_scope([&](scope& tasks) -> task<> {
            for (int i = 0; i < 500; ++i) tasks.spawn_now(busy());
            co_await yield();
            before = home.resumptions();
            home.post([&] {
                waited = home.resumptions() - before;
                over = true;
            });
            co_await tasks.join();
        });
        EXPECT_LE(waited, 40U + 501U);
    });
}

}  // namespace
}  // namespace upcall
