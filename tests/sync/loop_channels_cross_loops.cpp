// Channels between loops: order per sender, bounds, ends, and nothing lost in between.
#include <upcall/sync/loop_channel.hpp>

#include <atomic>
#include <limits>
#include <memory>
#include <random>
#include <thread>
#include <upcall/sync/event.hpp>
#include <upcall/task/sleep.hpp>
#include <upcall/task/timeout.hpp>
#include <upcall/task/when_any.hpp>

#include "support/loop_test.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;

struct item {
    int from;
    int number;
};

class loop_channels : public testing::loop_test {};
UPCALL_ON_EVERY_DRIVER(loop_channels);

/// Runs `body(loop)` on a thread of its own, with a loop of the same driver.
template <class Body>
std::thread on_another_loop(std::string driver, Body body) {
    return std::thread([driver = std::move(driver), body = std::move(body)]() mutable {
        auto home = testing::make_test_loop(driver);
        testing::run_task(*home, body(*home));
    });
}

TEST_P(loop_channels, carry_values_from_many_loops_in_order) {
    constexpr int senders = 3;
    constexpr int count = 2000;
    loop_channel<item> between(home(), 4);
    std::vector<std::thread> threads;
    for (int from = 0; from < senders; ++from)
        threads.push_back(
            on_another_loop(GetParam(), [to = between.sender(), from](loop&) -> task<> {
                for (int i = 0; i < count; ++i) EXPECT_TRUE(co_await to.send({from, i}));
            }));
    std::vector<int> next(senders);
    run([&]() -> task<> {
        while (auto one = co_await between.receive()) {
            const auto from = static_cast<std::size_t>(one->from);
            EXPECT_EQ(one->number, next[from]) << "of sender " << one->from;
            next[from] = one->number + 1;
        }
        EXPECT_EQ((co_await between.receive()).error(), errc::end_of_stream)
            << "all senders are gone";
    });
    for (std::thread& one : threads) one.join();
    EXPECT_EQ(next, std::vector<int>(senders, count));
}

TEST_P(loop_channels, take_values_from_plain_threads) {
    loop_channel<std::unique_ptr<int>> between(home(), 8);
    std::thread thread([to = between.sender()] {
        for (int i = 0; i < 1000; ++i) {
            auto value = std::make_unique<int>(i);
            while (!to.try_send(value)) {
                EXPECT_EQ(*value, i) << "a value that was not taken is left alone";
                std::this_thread::yield();
            }
        }
    });
    int expected = 0;
    run([&]() -> task<> {
        while (auto one = co_await between.receive()) EXPECT_EQ(**one, expected++);
    });
    thread.join();
    EXPECT_EQ(expected, 1000);
}

TEST_P(loop_channels, hold_senders_back_when_full) {
    loop_channel<int> between(home(), 2);
    std::atomic<int> sent{0};
    std::atomic<bool> blocked{false};
    std::thread thread =
        on_another_loop(GetParam(), [to = between.sender(), &sent, &blocked](loop&) -> task<> {
            for (int i = 0; i < 5; ++i) {
                auto late = co_await timeout(i < 2 ? duration(1h) : duration(5ms), to.send(i));
                if (!late) {
                    EXPECT_EQ(late.error().value, i) << "it comes back";
                    EXPECT_EQ(late.error().why, errc::deadline_exceeded);
                    blocked = true;
                    co_return;
                }
                ++sent;
            }
        });
    run([&]() -> task<> {
        // The other loop needs this one to withdraw what waits here.
        while (!blocked) co_await sleep(1ms);
        EXPECT_EQ(sent, 2);
        EXPECT_EQ(*co_await between.receive(), 0);
        EXPECT_EQ(*co_await between.receive(), 1);
        EXPECT_EQ((co_await between.receive()).error(), errc::end_of_stream);
    });
    thread.join();
}

TEST_P(loop_channels, give_values_back_when_closed) {
    auto between = std::make_unique<loop_channel<int>>(home(), 2);
    std::atomic<int> state{0};
    std::thread thread =
        on_another_loop(GetParam(), [to = between->sender(), &state](loop&) -> task<> {
            EXPECT_TRUE(co_await to.send(0));
            EXPECT_TRUE(co_await to.send(1));
            state = 1;
            auto refused = co_await to.send(2);
            EXPECT_EQ(refused.error().why, errc::closed);
            EXPECT_EQ(refused.error().value, 2);
            auto again = co_await to.send(3);
            EXPECT_EQ(again.error().why, errc::closed);
            state = 2;
        });
    run([&]() -> task<> {
        while (state < 1) co_await sleep(1ms);
        for (int i = 0; i < 10; ++i) co_await yield();
        between.reset();  // with two values in it and, most likely, a sender waiting
        while (state < 2) co_await sleep(1ms);
    });
    thread.join();
}

TEST_P(loop_channels, may_be_left_by_a_receiver_that_gives_up) {
    run([&]() -> task<> {
        loop_channel<int> between(home(), 2);
        auto to = between.sender();
        EXPECT_EQ((co_await timeout(1ms, between.receive())).error(), errc::deadline_exceeded);
        EXPECT_TRUE(co_await to.send(1));
        EXPECT_EQ(*co_await between.receive(), 1);
        EXPECT_EQ((co_await timeout(1ms, between.receive())).error(), errc::deadline_exceeded);
        co_await with_scope([&](scope& tasks) -> task<> {
            tasks.spawn_now([](remote_sender<int> sender) -> task<> {
                for (int i = 0; i < 10; ++i) EXPECT_TRUE(co_await sender.send(i));
            }(to));
            for (int i = 0; i < 10; ++i) EXPECT_EQ(*co_await between.receive(), i);
        });
    });
}

// Senders that give up at random moments: each value is either received once or given back.
TEST_P(loop_channels, lose_nothing_when_senders_give_up) {
    constexpr int count = 2000;
    loop_channel<item> between(home(), 2);
    std::atomic<int> given_back{0};
    std::vector<std::thread> threads;
    for (int from = 0; from < 2; ++from)
        threads.push_back(on_another_loop(
            GetParam(), [to = between.sender(), from, &given_back](loop&) -> task<> {
                std::mt19937 random(static_cast<unsigned>(from));
                for (int i = 0; i < count;) {
                    auto sent = co_await timeout(duration(random() % 30000), to.send({from, i}));
                    if (sent)
                        ++i;
                    else
                        ++given_back;
                }
            }));
    std::vector<int> next(2);
    run([&]() -> task<> {
        std::mt19937 random(9);
        for (;;) {
            auto any = co_await when_any(between.receive(), sleep(duration(random() % 30000)));
            auto& one = std::get<0>(any.outcomes);
            if (one) {
                EXPECT_EQ(one->number, next[static_cast<std::size_t>(one->from)]++);
            }
            if (!one && one.error() == errc::end_of_stream) break;
            if (random() % 8 == 0) co_await sleep(duration(random() % 50000));
        }
    });
    for (std::thread& one : threads) one.join();
    EXPECT_EQ(next, std::vector<int>(2, count));
    EXPECT_GT(given_back, 0);
}

// The next power of two was looked for where there is none, and values were put past its end.
TEST_P(loop_channels, of_impossible_sizes_are_refused) {
    const auto most = std::numeric_limits<std::size_t>::max();
    for (const std::size_t capacity : {most, most / 2, most / 2 + 2})
        EXPECT_THROW(loop_channel<item>(home(), capacity), std::bad_alloc) << capacity;
}

TEST_P(loop_channels, outlive_their_loop_in_their_senders) {
    std::optional<remote_sender<int>> to;
    {
        loop_channel<int> between(home(), 2);
        to.emplace(between.sender());
        int value = 1;
        EXPECT_TRUE(to->try_send(value));
    }
    owned_loop().reset();
    int value = 2;
    EXPECT_EQ(to->try_send(value).error(), errc::closed);
    auto other = testing::make_test_loop(GetParam());
    testing::run_task(*other, [](remote_sender<int> sender) -> task<> {
        EXPECT_EQ((co_await sender.send(3)).error().why, errc::closed);
    }(*to));
}

}  // namespace
}  // namespace upcall
