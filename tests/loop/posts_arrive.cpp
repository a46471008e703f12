// Posting from other threads: each call runs once, in the order of its thread, or is refused.
#include <atomic>
#include <memory>
#include <thread>
#include <upcall/sync/event.hpp>

#include "support/latch.hpp"
#include "support/loop_test.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;

class posts : public testing::loop_test {};
UPCALL_ON_EVERY_DRIVER(posts);

TEST_P(posts, from_many_threads_keep_the_order_of_each) {
    constexpr int threads = 16;
    constexpr int count = 2000;
    std::vector<int> next(threads);
    int ran = 0;
    testing::latch ready(threads);
    std::vector<std::thread> all;
    for (int thread = 0; thread < threads; ++thread)
        all.emplace_back([&, thread] {
            ready.arrive_and_wait();
            for (int i = 0; i < count; ++i)
                home().post([&next, &ran, thread, i] {
                    EXPECT_EQ(next[static_cast<std::size_t>(thread)], i);
                    next[static_cast<std::size_t>(thread)] = i + 1;
                    ++ran;
                });
        });
    home().run_until([&] { return ran == threads * count; });
    for (std::thread& one : all) one.join();
    home().run_ready();
    EXPECT_EQ(ran, threads * count);
}

// The poster waits for each call to have run before it posts the next, so the loop falls asleep in
// between: a wake-up that is lost is a hang.
TEST_P(posts, wake_the_loop_every_time) {
    constexpr int count = 20000;
    std::atomic<int> handled{0};
    std::thread poster([&] {
        for (int i = 0; i < count; ++i) {
            home().post([&] { handled.fetch_add(1, std::memory_order_release); });
            for (int spins = 0; handled.load(std::memory_order_acquire) == i; ++spins)
                if (spins > i % 100) std::this_thread::yield();
        }
    });
    home().run_until([&] { return handled.load() == count; });
    poster.join();
}

TEST_P(posts, run_on_the_loop_not_in_the_caller) {
    bool ran = false;
    home().post([&] {
        EXPECT_EQ(loop::current(), &home());
        home().post([&] { ran = true; });
        EXPECT_FALSE(ran);
    });
    EXPECT_EQ(loop::current(), nullptr);
    home().run();
    EXPECT_TRUE(ran);
}

TEST_P(posts, destroy_what_they_carry_once) {
    auto token = std::make_shared<int>(1);
    home().post([token] {});
    EXPECT_EQ(token.use_count(), 2);
    home().run();
    EXPECT_EQ(token.use_count(), 1);
    auto box = home().remote();
    owned_loop().reset();
    struct refused final : ready_node {
    } node;
    EXPECT_FALSE(box->post(node));
}

// Threads post while the loop is being destroyed: what was accepted was run, the rest was refused.
TEST_P(posts, are_run_or_refused_when_the_loop_ends) {
    constexpr int threads = 4;
    // Posters outnumber the one that runs the calls: without a bound, memory is what ends them.
    constexpr int waiting_at_most = 10'000;
    for (int round = 0; round < 30; ++round) {
        if (round > 0) owned_loop() = testing::make_test_loop(GetParam());
        ASSERT_TRUE(owned_loop());
        std::atomic<int> ran{0};
        std::atomic<int> accepted{0};
        std::atomic<bool> refused{false};
        testing::latch started(threads + 1);
        auto box = home().remote();
        struct counting final : ready_node {
            std::atomic<int>* count = nullptr;
        };
        std::vector<std::thread> all;
        for (int thread = 0; thread < threads; ++thread)
            all.emplace_back([&] {
                started.arrive_and_wait();
                for (bool taken = true; taken;) {
                    while (accepted.load() - ran.load() > waiting_at_most)
                        std::this_thread::yield();
                    auto* node = new counting;
                    node->count = &ran;
                    node->run = [](ready_node& self) noexcept {
                        auto& mine = static_cast<counting&>(self);
                        mine.count->fetch_add(1);
                        delete &mine;
                    };
                    taken = box->post(*node);
                    if (taken)
                        accepted.fetch_add(1);
                    else
                        delete node;
                }
                refused = true;
            });
        started.arrive_and_wait();
        home().run_until([&] { return ran.load() > round * 20; });
        owned_loop().reset();
        for (std::thread& one : all) one.join();
        EXPECT_EQ(ran.load(), accepted.load());
        EXPECT_TRUE(refused);
    }
}

TEST_P(posts, stop_a_loop_that_sleeps) {
    std::thread stopper;
    scope tasks(home().root());
    bool over = false;
    event never_set;
    auto body = [&]() -> task<> {
        EXPECT_FALSE(co_await never_set.wait());
        over = true;
    };
    tasks.spawn_now(body());
    for (int round = 0; round < 100; ++round) {
        stopper = std::thread([&] { home().stop_running(); });
        home().run();
        stopper.join();
        EXPECT_FALSE(over);
    }
    tasks.cancel();
    home().run();
    EXPECT_TRUE(over);
}

}  // namespace
}  // namespace upcall
