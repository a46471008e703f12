// Channels: order, bounds, closing; and no value is lost when a timer or a cancellation wins.
#include <upcall/sync/channel.hpp>

#include <memory>
#include <numeric>
#include <random>
#include <upcall/task/sleep.hpp>
#include <upcall/task/timeout.hpp>
#include <upcall/task/when_any.hpp>

#include "support/loop_test.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;

class channels : public testing::loop_test {};
UPCALL_ON_EVERY_DRIVER(channels);

using box = std::unique_ptr<int>;

task<> send_all(channel<box>& to, int first, int count) {
    for (int i = first; i < first + count; ++i)
        EXPECT_TRUE(co_await to.send(std::make_unique<int>(i)));
}

TEST_P(channels, keep_the_order_whatever_their_room) {
    for (const std::size_t room : {0U, 1U, 7U, 1000U})
        run([room]() -> task<> {
            channel<box> between(room);
            std::vector<int> received;
            co_await with_scope([&](scope& tasks) -> task<> {
                auto sender = tasks.async(send_all(between, 0, 500));
                while (received.size() < 500) {
                    EXPECT_LE(between.size(), room);
                    auto one = co_await between.receive();
                    EXPECT_TRUE(one);
                    received.push_back(**one);
                    if (received.size() % 7 == 0) co_await yield();
                }
                co_await sender.join();
            });
            std::vector<int> expected(500);
            std::iota(expected.begin(), expected.end(), 0);
            EXPECT_EQ(received, expected);
        });
}

TEST_P(channels, deliver_what_was_sent_before_they_were_closed) {
    run([]() -> task<> {
        channel<box> between(2);
        EXPECT_TRUE(co_await between.send(std::make_unique<int>(1)));
        EXPECT_TRUE(co_await between.send(std::make_unique<int>(2)));
        co_await with_scope([&](scope& tasks) -> task<> {
            auto late = tasks.async([](channel<box>& to) -> task<std::expected<void, unsent<box>>> {
                co_return co_await to.send(std::make_unique<int>(3));
            }(between));
            co_await yield();
            between.close();
            auto refused = co_await late.join();
            EXPECT_EQ(refused.error().why, errc::closed);
            EXPECT_EQ(*refused.error().value, 3) << "the value comes back";
        });
        EXPECT_EQ(**co_await between.receive(), 1);
        EXPECT_EQ(**co_await between.receive(), 2);
        EXPECT_EQ((co_await between.receive()).error(), errc::end_of_stream);
        auto after = co_await between.send(std::make_unique<int>(4));
        EXPECT_EQ(after.error().why, errc::closed);
        box value = std::make_unique<int>(5);
        EXPECT_FALSE(between.try_send(value));
        EXPECT_EQ(*value, 5);
    });
}

TEST_P(channels, end_waiting_receivers_when_closed) {
    run([]() -> task<> {
        channel<box> between(1);
        co_await with_scope([&](scope& tasks) -> task<> {
            for (int i = 0; i < 3; ++i)
                tasks.spawn_now([](channel<box>& from) -> task<> {
                    EXPECT_EQ((co_await from.receive()).error(), errc::end_of_stream);
                }(between));
            co_await yield();
            between.close();
        });
    });
}

TEST_P(channels, give_the_value_back_to_a_sender_that_gives_up) {
    run([]() -> task<> {
        channel<box> between(1);
        EXPECT_TRUE(co_await between.send(std::make_unique<int>(1)));
        auto late = co_await timeout(1ms, between.send(std::make_unique<int>(2)));
        EXPECT_EQ(late.error().why, errc::deadline_exceeded);
        EXPECT_EQ(*late.error().value, 2);
        EXPECT_EQ(**between.try_receive(), 1);
        EXPECT_FALSE(between.try_receive()) << "it was taken out of the line";
    });
}

// Every value that was sent is received exactly once, in order, however often a timer beats the
// receiver or the sender to it.
TEST_P(channels, survive_races_with_timers) {
    run([]() -> task<> {
        channel<int> between(3);
        constexpr int count = 3000;
        std::vector<int> received;
        int beaten_receives = 0;
        int beaten_sends = 0;
        std::mt19937 random(7);
        auto send = [&]() -> task<> {
            for (int i = 0; i < count;) {
                auto sent = co_await timeout(duration(random() % 20000), between.send(i));
                if (sent) {
                    ++i;
                } else {
                    ++beaten_sends;
                    EXPECT_EQ(sent.error().value, i);
                }
                if (random() % 4 == 0) co_await sleep(duration(random() % 40000));
            }
            between.close();
        };
        auto receive = [&]() -> task<> {
            for (;;) {
                auto any = co_await when_any(sleep(duration(random() % 20000)), between.receive());
                auto& one = std::get<1>(any.outcomes);
                if (one) received.push_back(*one);
                if (!one && one.error() == errc::end_of_stream) break;
                if (!one) ++beaten_receives;
                if (random() % 4 == 0) co_await sleep(duration(random() % 40000));
            }
        };
        co_await with_scope([&](scope& tasks) -> task<> {
            tasks.spawn_now(send());
            tasks.spawn_now(receive());
            co_return;
        });
        std::vector<int> expected(count);
        std::iota(expected.begin(), expected.end(), 0);
        EXPECT_EQ(received, expected);
        EXPECT_GT(beaten_receives, count / 100);
        EXPECT_GT(beaten_sends, count / 100);
    });
}

TEST_P(channels, belong_to_one_loop_with_both_ends) {
    channel<int> between(1);
    run([&]() -> task<> { EXPECT_TRUE(co_await between.send(1)); });
    auto other = testing::make_test_loop(GetParam());
    testing::run_task(*other, [](channel<int>& foreign) -> task<> {
        EXPECT_EQ((co_await foreign.receive()).error(), errc::wrong_loop);
        EXPECT_EQ((co_await foreign.send(2)).error().why, errc::wrong_loop);
    }(between));
}

}  // namespace
}  // namespace upcall
