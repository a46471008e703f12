// when_any and first_success: who wins, what becomes of the losers, and that nothing is lost.
#include <upcall/task/when_any.hpp>

#include <memory>
#include <stdexcept>
#include <upcall/sync/channel.hpp>
#include <upcall/sync/event.hpp>
#include <upcall/task/first_success.hpp>
#include <upcall/task/sleep.hpp>
#include <upcall/task/timeout.hpp>
#include <vector>

#include "support/loop_test.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;

class when_any_of : public testing::loop_test {};
UPCALL_ON_EVERY_DRIVER(when_any_of);
class first_success_of : public testing::loop_test {};
UPCALL_ON_EVERY_DRIVER(first_success_of);

task<int> later(int yields, int value) {
    for (int i = 0; i < yields; ++i) co_await yield();
    co_return value;
}
task<int> fail_after(int yields) {
    for (int i = 0; i < yields; ++i) co_await yield();
    throw std::runtime_error("any");
}
/// When it is cancelled it does its work all the same.
task<std::unique_ptr<int>> stubborn(int value) {
    static_cast<void>(co_await sleep(1h));
    co_await yield();
    co_return std::make_unique<int>(value);
}

TEST_P(when_any_of, several_the_first_wins_and_the_others_are_awaited) {
    run([]() -> task<> {
        auto any = co_await when_any(stubborn(1), later(3, 2), sleep(1h), yield());
        EXPECT_EQ(any.index, 3U);
        auto& [first, second, third, fourth] = any.outcomes;
        EXPECT_EQ(**first, 1) << "a loser's value is handed over";
        EXPECT_EQ(*second, 2);
        EXPECT_EQ(third.error(), errc::cancelled);
        static_assert(std::is_same_v<std::remove_reference_t<decltype(fourth)>, std::monostate>);
    });
}

TEST_P(when_any_of, any_number_of_tasks_hands_over_all_outcomes_in_order) {
    run([]() -> task<> {
        std::vector<task<std::unique_ptr<int>>> values;
        for (int i = 0; i < 5; ++i) values.push_back(stubborn(i));
        values.push_back([]() -> task<std::unique_ptr<int>> {
            co_await yield();
            co_return std::make_unique<int>(5);
        }());
        auto any = co_await when_any(std::move(values));
        EXPECT_EQ(any.index, 5U);
        EXPECT_EQ(any.outcomes.size(), 6U);
        for (std::size_t i = 0; i < any.outcomes.size(); ++i)
            EXPECT_EQ(**any.outcomes[i], static_cast<int>(i)) << "a loser's value is handed over";
        std::vector<task<int>> some;
        some.push_back(later(50, 1));
        some.push_back(fail_after(1));
        auto failed = co_await when_any(std::move(some));
        EXPECT_EQ(failed.index, 1U) << "an exception is an end like others";
        EXPECT_EQ(failed.outcomes[0].value(), 1);
        EXPECT_THROW(std::rethrow_exception(failed.outcomes[1].error()), std::runtime_error);
        std::vector<task<>> silent;
        silent.push_back([]() -> task<> { co_return; }());
        auto ended = co_await when_any(std::move(silent));
        EXPECT_TRUE(ended.outcomes.at(0));
    });
    EXPECT_THROW(static_cast<void>(when_any(std::vector<task<int>>{})), std::invalid_argument);
}

TEST_P(when_any_of, any_number_of_tasks_can_be_cancelled) {
    run([]() -> task<> {
        std::vector<task<std::unique_ptr<int>>> values;
        for (int i = 0; i < 3; ++i) values.push_back(stubborn(i));
        auto any = co_await timeout(1ms, when_any(std::move(values)));
        for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(**any.outcomes.at(i), static_cast<int>(i));
    });
}

TEST_P(when_any_of, tasks_hands_over_their_exceptions) {
    run([]() -> task<> {
        auto any = co_await when_any(fail_after(1), fail_after(9), later(50, 1));
        EXPECT_EQ(any.index, 0U) << "an exception is an end like others";
        EXPECT_THROW(std::rethrow_exception(std::get<0>(any.outcomes).error()), std::runtime_error);
        EXPECT_FALSE(std::get<1>(any.outcomes));
        EXPECT_EQ(*std::get<2>(any.outcomes), 1);
    });
}

TEST_P(when_any_of, something_done_at_once_still_starts_the_others) {
    run([]() -> task<> {
        event set(true);
        bool started = false;
        auto body = [](bool& flag) -> task<std::error_code> {
            flag = true;
            co_return (co_await sleep(1h)).error();
        };
        auto any = co_await when_any(set.wait(), sleep(1h), body(started));
        EXPECT_EQ(any.index, 0U);
        EXPECT_EQ(std::get<1>(any.outcomes).error(), errc::cancelled);
        EXPECT_TRUE(started);
        EXPECT_EQ(*std::get<2>(any.outcomes), errc::cancelled);
    });
}

TEST_P(when_any_of, itself_is_cancelled_with_all_its_parts) {
    run([]() -> task<> {
        auto any = co_await timeout(1ms, when_any(sleep(1h), stubborn(4), sleep(2h)));
        EXPECT_EQ(std::get<0>(any.outcomes).error(), errc::deadline_exceeded);
        EXPECT_EQ(std::get<2>(any.outcomes).error(), errc::deadline_exceeded);
        EXPECT_EQ(**std::get<1>(any.outcomes), 4);
    });
}

// Went wrong elsewhere: `receive || timer` threw away the message when the timer won.
TEST_P(when_any_of, a_receive_and_a_timer_loses_no_message) {
    run([]() -> task<> {
        channel<int> between(1);
        int received = 0;
        auto send = [](channel<int>& to) -> task<> {
            for (int i = 0; i < 500; ++i) {
                EXPECT_TRUE(co_await to.send(i));
                co_await yield();
            }
            to.close();
        };
        co_await with_scope([&](scope& tasks) -> task<> {
            tasks.spawn_now(send(between));
            for (;;) {
                auto any = co_await when_any(yield(), between.receive());
                auto& one = std::get<1>(any.outcomes);
                if (one) {
                    EXPECT_EQ(*one, received++);
                }
                if (!one && one.error() == errc::end_of_stream) break;
            }
        });
        EXPECT_EQ(received, 500);
    });
}

task<result<std::unique_ptr<int>>> attempt(int yields, int value) {
    for (int i = 0; i < yields; ++i) co_await yield();
    if (value == 0) co_return failure(std::make_error_code(std::errc::connection_refused));
    co_return std::make_unique<int>(value);
}
task<result<std::unique_ptr<int>>> wait_attempt() {
    const auto slept = co_await sleep(1h);
    EXPECT_EQ(slept.error(), errc::cancelled);
    co_return failure(slept.error());
}
task<result<std::unique_ptr<int>>> wait_deadline() {
    co_return failure((co_await sleep(1h)).error());
}
task<result<std::unique_ptr<int>>> throwing_attempt(int yields) {
    for (int i = 0; i < yields; ++i) co_await yield();
    throw std::runtime_error("attempt");
}

TEST_P(first_success_of, attempts_ignores_failures_and_ends_the_others) {
    run([]() -> task<> {
        auto won =
            co_await first_success(attempt(1, 0), wait_attempt(), attempt(5, 7), attempt(8, 9));
        EXPECT_TRUE(won);
        EXPECT_EQ(**won, 7);
    });
}

TEST_P(first_success_of, attempts_that_all_fail_yields_every_error) {
    run([]() -> task<> {
        auto lost = co_await first_success(timeout(1ms, wait_deadline()), attempt(2, 0));
        EXPECT_FALSE(lost);
        EXPECT_EQ(lost.error()[0], errc::deadline_exceeded);
        EXPECT_EQ(lost.error()[1], std::errc::connection_refused);
    });
}

TEST_P(first_success_of, attempts_throws_what_an_attempt_threw) {
    run([]() -> task<> {
        bool thrown = false;
        try {
            static_cast<void>(co_await first_success(wait_attempt(), throwing_attempt(2)));
        } catch (const std::runtime_error&) {
            thrown = true;
        }
        EXPECT_TRUE(thrown);
    });
}

TEST_P(first_success_of, requests_and_void_results) {
    run([]() -> task<> {
        auto slept = co_await first_success(sleep(1h), sleep(1ms));
        EXPECT_TRUE(slept);
        auto none = co_await timeout(1ms, first_success(sleep(1h), sleep(2h)));
        EXPECT_EQ(none.error()[1], errc::deadline_exceeded);
    });
}

}  // namespace
}  // namespace upcall
