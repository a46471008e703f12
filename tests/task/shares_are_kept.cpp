// Task classes: shares of the loop's time, targets, accounts; check points and turns bounded by
// time. On a simulated kernel whose clock moves when a handler says so, so every figure is exact.
#include <upcall/sync/event.hpp>
#include <upcall/task/scope.hpp>
#include <upcall/task/sleep.hpp>
#include <upcall/task/this_task.hpp>

#include "support/loop_test.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;

/// A loop in simulated time; `work` takes some of it.
class on_virtual_time : public ::testing::Test {
  public:
    on_virtual_time() { renew({}); }

    void renew(const loop_limits& limits, bool accounts = false,
               duration turn_cost = duration::zero()) {
        home_.reset();
        sim_options options;
        options.turn_cost = turn_cost;
        kernel_ = std::make_unique<sim_kernel>(options);
        loop_options chosen = testing::small_loop();
        chosen.limits = limits;
        chosen.accounts = accounts;
        home_ = loop::create(
                    [this](const driver_environment& lent) -> result<std::unique_ptr<driver>> {
                        return make_sim_driver(*kernel_, lent);
                    },
                    std::move(chosen))
                    .value();
    }

    loop& home() noexcept { return *home_; }
    void work(duration length) noexcept { kernel_->spend(length); }
    time_point now() const noexcept { return kernel_->now(); }

    template <class Body>
    void run(Body body) {
        testing::run_task(*home_, body());
    }

    /// Works in handlers of `length` until `over`, counting them.
    task<> busy(duration length, const bool& over, int& handlers) {
        while (!over) {
            work(length);
            ++handlers;
            co_await yield();
        }
    }

  private:
    std::unique_ptr<sim_kernel> kernel_;
    std::unique_ptr<loop> home_;
};

TEST_F(on_virtual_time, time_is_divided_by_shares_whatever_a_handler_takes) {
    task_class few(home(), "few", {.shares = 100});
    task_class many(home(), "many", {.shares = 1000});
    bool over = false;
    int long_ones = 0;
    int short_ones = 0;
    run([&]() -> task<> {
        co_await with_scope([&](scope& tasks) -> task<> {
            tasks.spawn_now(busy(1ms, over, long_ones), few, "few");
            for (int i = 0; i < 3; ++i)
                tasks.spawn_now(busy(100us, over, short_ones), many, "many");
            EXPECT_TRUE(co_await sleep(1100ms));
            over = true;
        });
    });
    EXPECT_NEAR(long_ones, 100, 5);
    EXPECT_NEAR(short_ones, 10'000, 300);
    EXPECT_EQ(few.account().ran, long_ones * duration(1ms));
    EXPECT_EQ(many.account().ran, short_ones * duration(100us));
}

TEST_F(on_virtual_time, a_class_that_is_alone_has_all_of_it) {
    task_class few(home(), "few", {.shares = 1});
    bool over = false;
    int handlers = 0;
    run([&]() -> task<> {
        co_await with_scope([&](scope& tasks) -> task<> {
            tasks.spawn_now(busy(1ms, over, handlers), few, "few");
            EXPECT_TRUE(co_await sleep(100ms));
            over = true;
        });
    });
    EXPECT_GE(handlers, 99);
}

TEST_F(on_virtual_time, a_rest_saves_nothing_up) {
    task_class first(home(), "first");
    task_class second(home(), "second");
    task_class rested(home(), "rested");
    bool over = false;
    int steps[3] = {};
    run([&]() -> task<> {
        co_await with_scope([&](scope& tasks) -> task<> {
            tasks.spawn_now(busy(1ms, over, steps[0]), first, "first");
            tasks.spawn_now(busy(1ms, over, steps[1]), second, "second");
            EXPECT_TRUE(co_await sleep(1s));
            const int before = steps[0];
            tasks.spawn_now(busy(1ms, over, steps[2]), rested, "rested");
            EXPECT_TRUE(co_await sleep(300ms));
            over = true;
            EXPECT_NEAR(steps[0] - before, 100, 3) << "they were not held back for what it missed";
            EXPECT_NEAR(steps[2], 100, 3);
        });
    });
}

TEST_F(on_virtual_time, order_within_a_class_is_first_in_first_out) {
    task_class one(home(), "one");
    std::vector<int> order;
    auto note = [&](int number) -> task<> {
        order.push_back(number);
        co_await yield();
        order.push_back(number + 100);
    };
    run([&]() -> task<> {
        co_await with_scope([&](scope& tasks) -> task<> {
            for (int i = 0; i < 3; ++i) tasks.spawn_now(note(i), one, "noting");
            co_await tasks.join();
        });
    });
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 100, 101, 102}));
}

TEST_F(on_virtual_time, a_target_is_met_out_of_turn) {
    duration waited[2] = {};
    for (const bool target : {false, true}) {
        task_class bulk(home(), "bulk");
        task_class rare(home(), "rare",
                        {.shares = 1, .latency_target = target ? duration(5ms) : duration(0)});
        bool over = false;
        int steps = 0;
        // It has had more than its share already, and would wait long for its next turn.
        auto ask = [&]() -> task<> {
            work(1ms);
            for (int i = 0; i < 20; ++i) {
                const time_point before = now();
                co_await yield();
                waited[target] = std::max<duration>(waited[target], now() - before);
            }
            over = true;
        };
        run([&]() -> task<> {
            co_await with_scope([&](scope& tasks) -> task<> {
                tasks.spawn_now(busy(1ms, over, steps), bulk, "bulk");
                tasks.spawn_now(ask(), rare, "rare");
                co_await tasks.join();
            });
        });
    }
    EXPECT_GT(waited[false], 500ms);
    EXPECT_LE(waited[true], 7ms) << "the target, the handler then under way, and one more";
}

TEST_F(on_virtual_time, a_target_starves_nobody) {
    task_class bulk(home(), "bulk");
    task_class eager(home(), "eager", {.shares = 1, .latency_target = 1us});
    bool over = false;
    int bulk_steps = 0;
    int eager_steps = 0;
    run([&]() -> task<> {
        co_await with_scope([&](scope& tasks) -> task<> {
            tasks.spawn_now(busy(1ms, over, bulk_steps), bulk, "bulk");
            for (int i = 0; i < 10; ++i)
                tasks.spawn_now(busy(1ms, over, eager_steps), eager, "eager");
            EXPECT_TRUE(co_await sleep(200ms));
            over = true;
        });
    });
    EXPECT_NEAR(bulk_steps, 100, 8) << "every other turn goes by shares";
}

TEST_F(on_virtual_time, classes_are_inherited_and_left_again) {
    task_class chosen(home(), "chosen");
    auto name = []() -> task<const char*> {
        co_await yield();
        task_class& in = co_await this_task::current_class();
        co_return in.name();
    };
    run([&]() -> task<> {
        EXPECT_STREQ(co_await name(), "main");
        EXPECT_STREQ(co_await in_class(chosen, name()), "chosen");
        EXPECT_STREQ(co_await name(), "main");
        co_await with_scope(
            [&](scope& tasks) -> task<> {
                auto child = tasks.async(name());
                EXPECT_STREQ(co_await child.join(), "chosen");
                auto other = tasks.async(name(), home().own_class());
                EXPECT_STREQ(co_await other.join(), "main");
            },
            {.policy = on_failure::cancel_others,
             .limit = 0,
             .failed = nullptr,
             .in_class = &chosen});
    });
    EXPECT_GT(chosen.account().resumptions, 0U);
}

TEST_F(on_virtual_time, a_class_may_end_with_the_task_that_made_it) {
    int ended = 0;
    auto whole = [&]() -> task<> {
        task_class own(home(), "own");
        co_await with_scope(
            [&](scope& tasks) -> task<> {
                tasks.spawn_now([](int& count) -> task<> {
                    co_await yield();
                    ++count;
                }(ended));
                co_await yield();
            },
            {.policy = on_failure::cancel_others, .limit = 0, .failed = nullptr, .in_class = &own});
    };
    run([&]() -> task<> {
        for (int i = 0; i < 3; ++i) co_await whole();
    });
    EXPECT_EQ(ended, 3);
}

TEST_F(on_virtual_time, a_class_does_not_end_before_its_tasks) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    auto body = [&]() -> task<> {
        auto made = std::make_unique<task_class>(home(), "brief");
        co_await with_scope([&](scope& tasks) -> task<> {
            tasks.spawn_now([]() -> task<> { co_await yield(); }(), *made, "child");
            made.reset();
            co_return;
        });
    };
    EXPECT_DEATH(run(body), "the task class \"brief\" ended before the tasks in it");
}

TEST_F(on_virtual_time, accounts_tell_who_ran_and_how_long_the_others_waited) {
    renew({}, true);
    run([&]() -> task<> {
        co_await with_scope([&](scope& tasks) -> task<> {
            auto once = [](on_virtual_time& on) -> task<> {
                on.work(10ms);
                co_return;
            };
            for (int i = 0; i < 4; ++i) tasks.spawn_now(once(*this));
            co_await tasks.join();
        });
    });
    const task_account& seen = home().own_class().account();
    EXPECT_EQ(seen.ran, 40ms);
    EXPECT_EQ(seen.resumptions, 6U) << "the first task, four children, and the first again";
    EXPECT_GE(seen.longest_wait, 30ms);
    EXPECT_LE(seen.longest_wait, 40ms);
    EXPECT_GE(seen.waited, 50ms) << "10 + 20 + 30, to within a handler";
    EXPECT_LE(seen.waited, 70ms);
}

TEST_F(on_virtual_time, nothing_is_kept_when_nobody_asks) {
    run([&]() -> task<> {
        work(1ms);
        co_await yield();
    });
    EXPECT_EQ(home().own_class().account().resumptions, 0U);
}

// The textbook's first bound: without check points a ready task waits for all handlers before it.
// Went wrong: the clock was looked at every 32 handlers only, so that 32 of 10 ms held the timers
// up for 320 ms.
TEST_F(on_virtual_time, a_turn_ends_with_the_handler_that_overruns_it) {
    time_point fired{};
    bool over = false;
    int handlers = 0;
    run([&]() -> task<> {
        co_await with_scope([&](scope& tasks) -> task<> {
            for (int i = 0; i < 64; ++i) tasks.spawn_now(busy(10ms, over, handlers));
            co_await yield();
            struct probe : timer_node {
                on_virtual_time* test;
                time_point* at;
            } one;
            one.test = this;
            one.at = &fired;
            one.fire = [](timer_node& node) noexcept {
                auto& self = static_cast<probe&>(node);
                *self.at = self.test->now();
            };
            const time_point due = now() + 1ms;
            home().timers().add(one, due);
            co_await yield();
            over = true;
            EXPECT_LE(fired - due, 10ms) << "the longest handler";
        });
    });
}

// The second: with check points it waits for the quantum of each that is before it, and what lies
// between two check points.
TEST_F(on_virtual_time, check_points_bound_a_handler_by_its_quantum) {
    duration most{};
    bool over = false;
    auto compute = [&]() -> task<> {
        for (int i = 0; i < 1000; ++i) {
            const auto go_on = co_await this_task::checkpoint();
            if (!go_on) co_return;
            work(100us);
        }
        over = true;
    };
    auto other = [&]() -> task<> {
        while (!over) {
            const time_point before = now();
            co_await yield();
            most = std::max<duration>(most, now() - before);
        }
    };
    run([&]() -> task<> {
        co_await with_scope([&](scope& tasks) -> task<> {
            tasks.spawn_now(compute());
            tasks.spawn_now(other());
            co_await tasks.join();
        });
    });
    EXPECT_GE(most, 500us) << "and it keeps it";
    EXPECT_LE(most, 600us);
}

TEST_F(on_virtual_time, the_same_seed_gives_the_same_run) {
    std::uint64_t resumptions[2] = {};
    std::string order[2];
    for (int round = 0; round < 2; ++round) {
        renew({}, false, 1us);
        task_class a(home(), "a", {.shares = 300});
        task_class b(home(), "b", {.shares = 700, .latency_target = 2ms});
        auto steps = [&](char letter, duration length) -> task<> {
            for (int i = 0; i < 200; ++i) {
                order[round] += letter;
                work(length);
                co_await yield();
            }
        };
        run([&]() -> task<> {
            co_await with_scope([&](scope& tasks) -> task<> {
                tasks.spawn_now(steps('a', 70us), a);
                tasks.spawn_now(steps('b', 110us), b);
                tasks.spawn_now(steps('c', 0us));
                co_await tasks.join();
            });
        });
        resumptions[round] = home().resumptions();
    }
    EXPECT_EQ(order[0], order[1]);
    EXPECT_EQ(resumptions[0], resumptions[1]);
}

/// Where the clock does not tell how long handlers take, shares are shares of handlers.
class shares : public testing::loop_test {};
UPCALL_ON_EVERY_DRIVER(shares);

TEST_P(shares, nobody_is_starved) {
    task_class few(home(), "few", {.shares = 10});
    bool over = false;
    int rare = 0;
    int often = 0;
    auto busy = [&](int& count) -> task<> {
        while (!over) {
            if (++count == 50) over = &count == &rare;
            co_await yield();
        }
    };
    run([&]() -> task<> {
        co_await with_scope([&](scope& tasks) -> task<> {
            tasks.spawn_now(busy(rare), few, "few");
            tasks.spawn_now(busy(often));
            co_await tasks.join();
        });
    });
    EXPECT_EQ(rare, 50);
    EXPECT_GT(often, rare);
}

}  // namespace
}  // namespace upcall
