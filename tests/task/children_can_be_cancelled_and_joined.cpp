// scope::async: a child's value, its exception, its cancellation, and what dropping it means.
#include <upcall/task/scope.hpp>

#include <memory>
#include <stdexcept>
#include <upcall/task/sleep.hpp>
#include <upcall/task/timeout.hpp>
#include <upcall/task/when_all.hpp>

#include "support/loop_test.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;

class children : public testing::loop_test {};
UPCALL_ON_EVERY_DRIVER(children);

task<std::unique_ptr<int>> make(int yields, int value) {
    for (int i = 0; i < yields; ++i) co_await yield();
    co_return std::make_unique<int>(value);
}
task<int> fail_after(int yields) {
    for (int i = 0; i < yields; ++i) co_await yield();
    throw std::runtime_error("child");
}
task<std::error_code> sleep_long() {
    const auto slept = co_await sleep(1h);
    co_return slept ? std::error_code{} : slept.error();
}

TEST_P(children, hand_over_their_value_before_or_after_they_end) {
    run([]() -> task<> {
        co_await with_scope([](scope& tasks) -> task<> {
            auto early = tasks.async(make(0, 1));
            auto late = tasks.async(make(10, 2));
            co_await yield();
            co_await yield();
            EXPECT_TRUE(early.done());
            EXPECT_FALSE(late.done());
            EXPECT_EQ(tasks.size(), 1U) << "one that has ended does not count any more";
            EXPECT_EQ(*co_await early.join(), 1);
            EXPECT_EQ(*co_await late.join(), 2);
            EXPECT_FALSE(early);
        });
    });
}

TEST_P(children, throw_where_they_are_joined) {
    run([]() -> task<> {
        co_await with_scope([](scope& tasks) -> task<> {
            for (const int yields : {0, 5}) {
                auto child = tasks.async(fail_after(yields));
                co_await yield();
                co_await yield();
                bool thrown = false;
                try {
                    static_cast<void>(co_await child.join());
                } catch (const std::runtime_error&) {
                    thrown = true;
                }
                EXPECT_TRUE(thrown);
            }
        });
    });
}

TEST_P(children, that_are_dropped_are_the_scopes) {
    for (const int yields : {0, 5}) {
        bool thrown = false;
        run([&]() -> task<> {
            try {
                co_await with_scope([&](scope& tasks) -> task<> {
                    {
                        auto child = tasks.async(fail_after(yields));
                        co_await yield();
                        co_await yield();
                    }
                    EXPECT_EQ((co_await sleep(1h)).error(), errc::cancelled)
                        << "its exception cancels the scope";
                });
            } catch (const std::runtime_error&) {
                thrown = true;
            }
        });
        EXPECT_TRUE(thrown);
    }
}

TEST_P(children, are_cancelled_one_by_one) {
    run([]() -> task<> {
        co_await with_scope([](scope& tasks) -> task<> {
            auto first = tasks.async(sleep_long());
            auto second = tasks.async(sleep_long());
            co_await yield();
            first.cancel();
            EXPECT_EQ(co_await first.join(), errc::cancelled);
            EXPECT_FALSE(second.done());
            second.cancel();
            second.cancel();
            EXPECT_EQ(co_await second.join(), errc::cancelled);
        });
    });
}

TEST_P(children, are_cancelled_with_who_joins_them) {
    run([]() -> task<> {
        co_await with_scope([](scope& tasks) -> task<> {
            auto child = tasks.async(sleep_long());
            EXPECT_EQ(co_await timeout(1ms, child.join()), errc::deadline_exceeded);
            auto joined_late = tasks.async(sleep_long());
            auto joiner = [](child_task<std::error_code> of) -> task<std::error_code> {
                static_cast<void>(co_await sleep(1h));
                co_return co_await of.join();
            };
            auto other = tasks.async(joiner(std::move(joined_late)));
            co_await yield();
            other.cancel();
            EXPECT_EQ(co_await other.join(), errc::cancelled);
        });
    });
}

TEST_P(children, stop_when_asked) {
    run([]() -> task<> {
        co_await with_scope([](scope& tasks) -> task<> {
            auto body = []() -> task<int> {
                int rounds = 0;
                while (!co_await this_task::stop_requested()) {
                    co_await yield();
                    ++rounds;
                }
                EXPECT_TRUE(co_await sleep(1ms)) << "work in hand goes on";
                co_return rounds;
            };
            auto child = tasks.async(body());
            for (int i = 0; i < 5; ++i) co_await yield();
            child.stop();
            EXPECT_GE(co_await child.join(), 3);
        });
    });
}

TEST_P(children, may_be_moved_around_and_joined_together) {
    run([]() -> task<> {
        co_await with_scope([](scope& tasks) -> task<> {
            std::vector<child_task<std::unique_ptr<int>>> all;
            for (int i = 0; i < 20; ++i) all.push_back(tasks.async(make(i % 3, i)));
            int sum = 0;
            for (auto& one : all) sum += *co_await one.join();
            EXPECT_EQ(sum, 190);
            auto a = tasks.async(make(2, 1));
            auto b = tasks.async(make(3, 2));
            auto [x, y] = co_await when_all(a.join(), b.join());
            EXPECT_EQ(*x + *y, 3);
        });
    });
}

TEST_P(children, outliving_their_scope_in_a_handle_are_fatal) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(run([]() -> task<> {
                     std::optional<child_task<int>> kept;
                     co_await with_scope([&](scope& tasks) -> task<> {
                         kept.emplace(tasks.async(fail_after(0)));
                         co_return;
                     });
                 }),
                 "before 1 of its child_task handles");
}

}  // namespace
}  // namespace upcall
