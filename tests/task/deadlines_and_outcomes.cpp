// timeout and deadline_at: one outcome, nothing lost, the outer limit wins once, causes told apart.
#include <upcall/task/timeout.hpp>

#include <random>
#include <upcall/io/stream.hpp>
#include <upcall/sync/channel.hpp>
#include <upcall/task/sleep.hpp>
#include <upcall/task/this_task.hpp>
#include <upcall/task/when_any.hpp>

#include "support/loop_test.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;

class deadlines : public testing::loop_test {};
UPCALL_ON_EVERY_DRIVER(deadlines);

std::error_code code_of(const auto& outcome) {
    return outcome ? std::error_code{} : outcome.error();
}

TEST_P(deadlines, end_what_takes_too_long) {
    run([]() -> task<> {
        EXPECT_EQ(code_of(co_await timeout(1ms, sleep(1h))), errc::deadline_exceeded);
        EXPECT_EQ(code_of(co_await timeout(1h, sleep(1ms))), std::error_code{});
        loop& home = co_await this_task::home();
        EXPECT_EQ(code_of(co_await deadline_at(home.now() + 1ms, sleep(1h))),
                  errc::deadline_exceeded);
        EXPECT_EQ(code_of(co_await deadline_at(never, sleep(1ms))), std::error_code{});
    });
}

TEST_P(deadlines, of_zero_or_less_leave_time_for_what_is_done_at_once) {
    run([]() -> task<> {
        channel<int> ready(1);
        for (const duration length : {duration(0), duration(-1h), duration::min()}) {
            EXPECT_TRUE(co_await ready.send(7));
            const auto got = co_await timeout(length, ready.receive());
            EXPECT_TRUE(got);
            EXPECT_EQ(code_of(co_await timeout(length, ready.receive())), errc::deadline_exceeded);
        }
    });
}

TEST_P(deadlines, without_end_never_come) {
    run([]() -> task<> {
        EXPECT_EQ(code_of(co_await timeout(duration::max(), sleep(1ms))), std::error_code{});
    });
}

TEST_P(deadlines, nested_ones_count_once_whichever_is_first) {
    run([]() -> task<> {
        EXPECT_EQ(code_of(co_await timeout(1ms, timeout(1h, sleep(2h)))), errc::deadline_exceeded);
        EXPECT_EQ(code_of(co_await timeout(1h, timeout(1ms, sleep(2h)))), errc::deadline_exceeded);
        EXPECT_EQ(code_of(co_await timeout(1ms, timeout(1ms, timeout(1ms, sleep(1h))))),
                  errc::deadline_exceeded);
    });
}

TEST_P(deadlines, are_no_cancellations) {
    run([]() -> task<> {
        co_await with_scope([](scope& tasks) -> task<> {
            auto cancelled = tasks.async([]() -> task<std::error_code> {
                co_return code_of(co_await timeout(1h, sleep(2h)));
            }());
            co_await yield();
            cancelled.cancel();
            EXPECT_EQ(co_await cancelled.join(), errc::cancelled);
        });
    });
}

task<std::error_code> ask_three_times() {
    std::error_code last;
    for (int i = 0; i < 3; ++i) last = code_of(co_await sleep(1h));
    co_return last;
}

TEST_P(deadlines, of_a_task_hold_for_all_that_it_does) {
    run([]() -> task<> {
        EXPECT_EQ(co_await timeout(1ms, ask_three_times()), errc::deadline_exceeded)
            << "operations started after the deadline end with it, too";
    });
}

task<> check_deadline(time_point latest) {
    EXPECT_LE(co_await this_task::deadline(), latest);
    co_await with_scope([latest](scope& tasks) -> task<> {
        tasks.spawn_now([](time_point limit) -> task<> {
            EXPECT_LE(co_await this_task::deadline(), limit);
        }(latest));
        co_return;
    });
    auto inner = [](time_point limit) -> task<> {
        EXPECT_LE(co_await this_task::deadline(), limit);
    };
    co_await timeout(10h, inner(latest));
}

TEST_P(deadlines, can_be_read_by_everything_below) {
    run([]() -> task<> {
        EXPECT_EQ(co_await this_task::deadline(), never);
        loop& home = co_await this_task::home();
        co_await timeout(1h, check_deadline(home.read_clock() + 2h));
        EXPECT_EQ(co_await this_task::deadline(), never);
    });
}

// An operation that is done in the same turn as its deadline: either it has its value, or the value
// is still there for the next one.
TEST_P(deadlines, race_with_completions_without_loss) {
    run([]() -> task<> {
        constexpr int rounds = 2000;
        channel<int> between(1);
        int late = 0;
        int early = 0;
        int expected = 0;
        std::mt19937 random(3);
        auto send = [&]() -> task<> {
            for (int i = 0; i < rounds; ++i) {
                static_cast<void>(co_await sleep(duration(random() % 3000)));
                EXPECT_TRUE(co_await between.send(i));
            }
        };
        co_await with_scope([&](scope& tasks) -> task<> {
            tasks.spawn_now(send());
            while (expected < rounds) {
                auto got = co_await timeout(duration(random() % 3000), between.receive());
                if (got) {
                    EXPECT_EQ(*got, expected++);
                    ++early;
                } else {
                    EXPECT_EQ(got.error(), errc::deadline_exceeded);
                    ++late;
                }
            }
        });
        EXPECT_GT(early, rounds / 100);
        EXPECT_GT(late, rounds / 100);
    });
}

// The same with bytes in a kernel.
TEST_P(deadlines, race_with_bytes_without_loss) {
    auto ends = home().via().open_pair(socket_type::stream);
    ASSERT_TRUE(ends);
    byte_stream writer(home(), std::move(ends->first));
    byte_stream reader(home(), std::move(ends->second));
    run([&]() -> task<> {
        constexpr std::size_t total = 3000;
        std::mt19937 random(5);
        auto write = [&]() -> task<> {
            for (std::size_t i = 0; i < total; ++i) {
                static_cast<void>(co_await sleep(duration(random() % 20000)));
                const auto byte = static_cast<std::byte>(i % 251);
                EXPECT_TRUE(co_await writer.write_all(byte_view(&byte, 1)));
            }
        };
        int late = 0;
        co_await with_scope([&](scope& tasks) -> task<> {
            tasks.spawn_now(write());
            for (std::size_t got = 0; got < total;) {
                std::byte buffer[16];
                auto count = co_await timeout(duration(random() % 20000), reader.read(buffer));
                if (!count) {
                    EXPECT_EQ(count.error(), errc::deadline_exceeded);
                    ++late;
                    continue;
                }
                for (std::size_t i = 0; i < *count; ++i)
                    EXPECT_EQ(buffer[i], static_cast<std::byte>(got++ % 251));
            }
        });
        EXPECT_GT(late, 0);
    });
}

TEST_P(deadlines, hold_in_when_any_and_the_like) {
    run([]() -> task<> {
        auto any = co_await when_any(timeout(1ms, sleep(1h)), sleep(2h));
        EXPECT_EQ(any.index, 0U);
        EXPECT_EQ(code_of(std::get<0>(any.outcomes)), errc::deadline_exceeded);
        EXPECT_EQ(code_of(std::get<1>(any.outcomes)), errc::cancelled);
    });
}

}  // namespace
}  // namespace upcall
