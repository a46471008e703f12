// Whatever ends or starts at once, a million times in a row: the stack stays where it is, on every
// compiler and at every optimisation level.
#include <upcall/sync/channel.hpp>
#include <upcall/sync/event.hpp>
#include <upcall/sync/mutex.hpp>
#include <upcall/task/from_callback.hpp>
#include <upcall/task/future.hpp>
#include <upcall/task/scope.hpp>
#include <upcall/task/sleep.hpp>
#include <upcall/task/start.hpp>
#include <upcall/task/timeout.hpp>
#include <upcall/task/when_all.hpp>
#include <upcall/task/when_any.hpp>

#include "support/loop_test.hpp"
#include "support/stack_use.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;

constexpr int million = 1'000'000;

class constant_stack : public ::testing::Test {
  protected:
    template <class Body>
    void run(Body body) {
        auto home = testing::make_any_loop();
        ASSERT_TRUE(home);
        testing::run_task(*home, body());
        EXPECT_GE(stack.looks(), static_cast<std::size_t>(looks));
        EXPECT_LE(stack.bytes(), 16384U) << "over " << stack.looks() << " looks";
    }

    testing::stack_use stack;
    int looks = million;
};

task<int> ends_at_once(testing::stack_use& stack, int value) {
    stack.look();
    co_return value;
}

TEST_F(constant_stack, tasks_that_end_at_once) {
    run([&]() -> task<> {
        std::int64_t sum = 0;
        for (int i = 0; i < million; ++i) sum += co_await ends_at_once(stack, 1);
        EXPECT_EQ(sum, million);
    });
}

task<int> nested(testing::stack_use& stack, int depth) {
    stack.look();
    const int below = depth == 0 ? 0 : co_await nested(stack, depth - 1);
    stack.look();
    co_return below + 1;
}

TEST_F(constant_stack, tasks_that_await_each_other_deeply) {
    constexpr int depth = 100'000;  // frames live on the heap: a million would be half a gigabyte
    looks = 5 * 2 * depth;
    run([&]() -> task<> {
        for (int round = 0; round < 5; ++round) EXPECT_EQ(co_await nested(stack, depth - 1), depth);
    });
}

task<> throws_at_once(testing::stack_use& stack) {
    stack.look();
    co_await ends_at_once(stack, 1);
    throw 1;
}

TEST_F(constant_stack, exceptions_from_tasks) {
    looks = 20'000;
    run([&]() -> task<> {
        int caught = 0;
        for (int i = 0; i < looks; ++i) {
            try {
                co_await throws_at_once(stack);
            } catch (int) {
                ++caught;
            }
        }
        EXPECT_EQ(caught, looks);
    });
}

TEST_F(constant_stack, requests_that_are_done_at_once) {
    run([&]() -> task<> {
        event set(true);
        mutex door;
        channel<int> between(1);
        for (int i = 0; i < million / 4; ++i) {
            EXPECT_TRUE(co_await set.wait());
            stack.look();
            auto held = co_await door.lock();
            stack.look();
            EXPECT_TRUE(co_await timeout(1h, between.send(i)));
            stack.look();
            EXPECT_EQ(*co_await between.receive(), i);
            stack.look();
        }
    });
}

TEST_F(constant_stack, giving_way_to_each_other) {
    auto body = [&](int times) -> task<> {
        for (int i = 0; i < times; ++i) {
            co_await yield();
            stack.look();
        }
    };
    run([&]() -> task<> {
        co_await with_scope([&](scope& tasks) -> task<> {
            for (int i = 0; i < 4; ++i) tasks.spawn_now(body(million / 4));
            co_return;
        });
    });
}

TEST_F(constant_stack, handing_values_back_and_forth) {
    run([&]() -> task<> {
        channel<int> there(0);
        channel<int> back(0);
        auto answer = [&]() -> task<> {
            while (auto one = co_await there.receive()) {
                stack.look();
                EXPECT_TRUE(co_await back.send(*one));
            }
        };
        co_await with_scope([&](scope& tasks) -> task<> {
            tasks.spawn_now(answer());
            for (int i = 0; i < million / 2; ++i) {
                EXPECT_TRUE(co_await there.send(i));
                EXPECT_EQ(*co_await back.receive(), i);
                stack.look();
            }
            there.close();
        });
    });
}

TEST_F(constant_stack, combinators_of_what_is_ready) {
    constexpr int rounds = million / 7;
    looks = 7 * rounds;
    run([&]() -> task<> {
        event set(true);
        for (int i = 0; i < rounds; ++i) {
            auto both = co_await when_all(set.wait(), when_all(set.wait(), set.wait()));
            static_cast<void>(both);
            stack.look();
            auto tasks = co_await when_all(ends_at_once(stack, 1), ends_at_once(stack, 2));
            EXPECT_EQ(std::get<0>(tasks) + std::get<1>(tasks), 3);
            stack.look();
            auto any = co_await when_any(set.wait(), ends_at_once(stack, 3));
            EXPECT_EQ(any.index, 0U);
            stack.look();
            EXPECT_EQ(co_await timeout(1h, ends_at_once(stack, 4)), 4);
        }
    });
}

/// Each callback starts the next operation, which is done at once.
void start_again(scope& tasks, event& set, testing::stack_use& stack, int left) {
    stack.look();
    if (left > 1)
        start(tasks, set.wait(), [&tasks, &set, &stack, left](result<void> done) {
            EXPECT_TRUE(done);
            start_again(tasks, set, stack, left - 1);
        });
}

TEST_F(constant_stack, callbacks_that_start_what_is_done_at_once) {
    run([&]() -> task<> {
        event set(true);
        co_await with_scope([&](scope& tasks) -> task<> {
            start_again(tasks, set, stack, million);
            co_return;
        });
    });
}

TEST_F(constant_stack, futures_of_what_is_done_at_once) {
    constexpr int rounds = million / 2;
    looks = 2 * rounds;
    run([&]() -> task<> {
        event set(true);
        co_await with_scope([&](scope& tasks) -> task<> {
            for (int i = 0; i < rounds; ++i) {
                const auto next = [&](result<void> done) {
                    EXPECT_TRUE(done);
                    stack.look();
                };
                const auto done = co_await submit(tasks, set.wait()).then(tasks, next);
                EXPECT_TRUE(done);
                stack.look();
            }
        });
    });
}

TEST_F(constant_stack, completions_by_foreign_callbacks) {
#ifdef _WIN32
    constexpr int rounds = million / 10;  // each is a turn, and so a call of Wine's server
#else
    constexpr int rounds = million;
#endif
    looks = rounds;
    run([&]() -> task<> {
        for (int i = 0; i < rounds; ++i) {
            const auto one =
                co_await from_callback<int>([](completion<int> done) { done.complete(1); });
            EXPECT_TRUE(one);
            stack.look();
        }
    });
}

TEST_F(constant_stack, children_that_end_at_once) {
    auto child = [&]() -> task<> {
        stack.look();
        co_return;
    };
    run([&]() -> task<> {
        co_await with_scope([&](scope& tasks) -> task<> {
            for (int i = 0; i < million / 10; ++i) {
                for (int k = 0; k < 10; ++k) EXPECT_TRUE(co_await tasks.spawn(child()));
                co_await tasks.join();
                stack.look();
            }
        });
    });
}

}  // namespace
}  // namespace upcall
