// shield: clean-up goes on in a cancelled task, for so long and no longer.
#include <upcall/task/shield.hpp>

#include <upcall/task/sleep.hpp>
#include <upcall/task/this_task.hpp>
#include <upcall/task/timeout.hpp>
#include <upcall/task/when_all.hpp>

#include "support/loop_test.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;

class shields : public testing::loop_test {};
UPCALL_ON_EVERY_DRIVER(shields);

task<result<void>> sleep_for(duration length) {
    EXPECT_EQ(co_await this_task::cancel_requested(), cancel_cause::none);
    co_return co_await sleep(length);
}

/// Is cancelled, then cleans up behind a shield.
task<result<void>> cleans_up(duration grace, duration needed) {
    EXPECT_EQ((co_await sleep(1h)).error(), errc::cancelled);
    auto cleaned = co_await shield(grace, sleep_for(needed));
    EXPECT_EQ(co_await this_task::cancel_requested(), cancel_cause::cancelled);
    EXPECT_EQ((co_await sleep(1ms)).error(), errc::cancelled) << "outside nothing has changed";
    co_return cleaned;
}

/// Is cancelled while it cleans up.
task<result<void>> is_cleaning_up(duration grace, duration needed) {
    auto cleaned = co_await shield(grace, sleep_for(needed));
    EXPECT_EQ((co_await sleep(1h)).error(), errc::cancelled);
    co_return cleaned;
}

TEST_P(shields, let_clean_up_finish) {
    run([]() -> task<> {
        co_await with_scope([](scope& tasks) -> task<> {
            auto after = tasks.async(cleans_up(1h, 2ms));
            auto during = tasks.async(is_cleaning_up(1h, 2ms));
            co_await yield();
            after.cancel();
            during.cancel();
            EXPECT_TRUE(co_await after.join());
            EXPECT_TRUE(co_await during.join());
        });
    });
}

TEST_P(shields, end_with_their_grace) {
    run([]() -> task<> {
        co_await with_scope([](scope& tasks) -> task<> {
            auto after = tasks.async(cleans_up(2ms, 1h));
            auto during = tasks.async(is_cleaning_up(2ms, 1h));
            auto without = tasks.async(cleans_up(0ms, 1h));
            co_await yield();
            after.cancel();
            during.cancel();
            without.cancel();
            EXPECT_EQ((co_await after.join()).error(), errc::cancelled);
            EXPECT_EQ((co_await during.join()).error(), errc::cancelled);
            EXPECT_EQ((co_await without.join()).error(), errc::cancelled);
        });
    });
}

TEST_P(shields, hold_off_deadlines_too) {
    run([]() -> task<> {
        EXPECT_TRUE(co_await timeout(1ms, shield(1h, sleep_for(5ms))));
        auto ended = co_await timeout(1ms, shield(2ms, sleep_for(1h)));
        EXPECT_EQ(ended.error(), errc::deadline_exceeded);
    });
}

TEST_P(shields, have_a_deadline_of_their_own) {
    auto look = []() -> task<time_point> { co_return co_await this_task::deadline(); };
    run([&]() -> task<> {
        EXPECT_EQ(co_await shield(1s, look()), never);
        loop& home = co_await this_task::home();
        auto inside = [&]() -> task<time_point> { co_return co_await shield(1h, look()); };
        const time_point before = home.read_clock();
        const time_point seen = co_await timeout(2h, inside());
        EXPECT_GE(seen, before + 3h);
        EXPECT_LE(seen, home.read_clock() + 3h);
    });
}

TEST_P(shields, can_be_ended_from_inside) {
    run([]() -> task<> {
        auto body = []() -> task<result<void>> {
            auto inner = co_await timeout(1ms, sleep(1h));
            co_return inner;
        };
        EXPECT_EQ((co_await shield(1h, body())).error(), errc::deadline_exceeded);
    });
}

TEST_P(shields, cover_whole_trees) {
    run([]() -> task<> {
        auto tree = []() -> task<> {
            co_await with_scope([](scope& tasks) -> task<> {
                for (int i = 0; i < 3; ++i)
                    tasks.spawn_now([]() -> task<> {
                        auto [a, b] = co_await when_all(sleep(1ms), sleep(2ms));
                        EXPECT_TRUE(a);
                        EXPECT_TRUE(b);
                    }());
                EXPECT_TRUE(co_await sleep(1ms));
            });
        };
        co_await with_scope([&](scope& tasks) -> task<> {
            tasks.cancel();
            co_await shield(1h, tree());
        });
    });
}

}  // namespace
}  // namespace upcall
