// Cancelling a tree of tasks in every state: all children have ended before their parents go on.
#include <random>
#include <upcall/sync/channel.hpp>
#include <upcall/sync/mutex.hpp>
#include <upcall/task/scope.hpp>
#include <upcall/task/shield.hpp>
#include <upcall/task/sleep.hpp>
#include <upcall/task/timeout.hpp>
#include <upcall/task/when_all.hpp>
#include <upcall/task/when_any.hpp>

#include "support/loop_test.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;

class cancelled_trees : public testing::loop_test {};
UPCALL_ON_EVERY_DRIVER(cancelled_trees);

struct world {
    explicit world(unsigned seed) : random(seed) {}
    std::mt19937 random;
    channel<int> queue{2};
    mutex door;
    int started = 0;
    int ended = 0;
    int completed = 0;

    unsigned below(unsigned limit) { return static_cast<unsigned>(random() % limit); }
};

/// Counts a task in and out, whichever way it ends.
struct presence {
    explicit presence(world& in) noexcept : where(in) { ++where.started; }
    presence(const presence&) = delete;
    ~presence() { ++where.ended; }
    world& where;
};

task<> grow(world& all, int depth);

task<> branch(world& all, int depth) {
    co_await with_scope([&all, depth](scope& tasks) -> task<> {
        const int before = all.started;
        const unsigned count = 1 + all.below(3);
        for (unsigned i = 0; i < count; ++i)
            static_cast<void>(co_await tasks.spawn(grow(all, depth - 1)));
        EXPECT_GE(all.started, before);
    });
}

task<> clean_up(world& all) {
    const presence here(all);
    static_cast<void>(co_await sleep(duration(all.below(100000))));
}

task<> wait_somehow(world& all) {
    switch (all.below(7)) {
        case 0:
            static_cast<void>(co_await sleep(duration(all.below(3000000))));
            break;
        case 1:
            static_cast<void>(co_await all.queue.send(1));
            break;
        case 2:
            static_cast<void>(co_await all.queue.receive());
            break;
        case 3: {
            auto held = co_await all.door.lock();
            if (held) static_cast<void>(co_await sleep(duration(all.below(300000))));
            break;
        }
        case 4: {
            auto both = co_await when_all(sleep(duration(all.below(3000000))), all.queue.receive());
            static_cast<void>(both);
            break;
        }
        case 5: {
            auto any = co_await when_any(sleep(duration(all.below(1000000))), all.queue.send(2));
            static_cast<void>(any);
            break;
        }
        default:
            static_cast<void>(co_await timeout(duration(all.below(1000000)), all.door.lock()));
    }
    ++all.completed;
}

task<> grow(world& all, int depth) {
    const presence here(all);
    for (int i = 0; i < 3; ++i) {
        co_await wait_somehow(all);
        if (depth == 0) continue;
        switch (all.below(4)) {
            case 0:
                co_await branch(all, depth);
                break;
            case 1:
                co_await when_all(grow(all, depth - 1), grow(all, depth - 1));
                break;
            case 2:
                co_await timeout(duration(all.below(3000000)), grow(all, depth - 1));
                break;
            default:
                co_await shield(1ms, clean_up(all));
        }
    }
}

TEST_P(cancelled_trees, end_all_their_tasks) {
    int started = 0;
    for (unsigned seed = 0; seed < 60; ++seed) {
        world all(seed);
        run([&]() -> task<> {
            co_await with_scope([&](scope& tasks) -> task<> {
                for (int i = 0; i < 4; ++i) tasks.spawn_now(grow(all, 3));
                static_cast<void>(co_await sleep(duration(all.below(4000000))));
                if (seed % 3 == 0) tasks.stop();
                tasks.cancel();
            });
            EXPECT_EQ(all.started, all.ended) << "none is left behind, seed " << seed;
        });
        EXPECT_FALSE(all.door.is_locked());
        EXPECT_FALSE(home().alive());
        EXPECT_TRUE(home().timers().empty());
        started += all.started;
    }
    EXPECT_GT(started, 1000);
}

// Contexts nest as deep as a program recurses: cancelling them takes no stack.
TEST_P(cancelled_trees, may_be_very_deep) {
    int ended = 0;
    struct dig {
        static task<> down(int left, int& count) {
            co_await with_scope([left, &count](scope&) -> task<> {
                if (left > 0)
                    co_await down(left - 1, count);
                else
                    EXPECT_EQ((co_await sleep(1h)).error(), errc::cancelled);
            });
            ++count;
        }
    };
    constexpr int depth = 20000;
    run([&]() -> task<> {
        co_await with_scope([&](scope& tasks) -> task<> {
            auto deep = tasks.async(dig::down(depth, ended));
            co_await yield();
            deep.cancel();
            co_await deep.join();
        });
    });
    EXPECT_EQ(ended, depth + 1);
}

}  // namespace
}  // namespace upcall
