// with_scope does not return before its children have, whatever ends it; limits; failures.
#include <upcall/task/scope.hpp>

#include <stdexcept>
#include <string>
#include <upcall/task/sleep.hpp>
#include <upcall/task/timeout.hpp>

#include "support/loop_test.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;

class scopes : public testing::loop_test {};
UPCALL_ON_EVERY_DRIVER(scopes);

struct counted {
    static inline int alive = 0;
    static inline int destroyed = 0;
    counted() noexcept { ++alive; }
    counted(const counted&) noexcept { ++alive; }
    ~counted() {
        --alive;
        ++destroyed;
    }
};

task<> linger(int& ended, int yields, counted = {}) {
    for (int i = 0; i < yields; ++i) co_await yield();
    ++ended;
}

task<> fail_after(int yields, std::string text) {
    for (int i = 0; i < yields; ++i) co_await yield();
    throw std::runtime_error(text);
}

task<> sleep_until_cancelled(int& ended) {
    const auto slept = co_await sleep(1h);
    EXPECT_EQ(slept.error(), errc::cancelled);
    for (int i = 0; i < 5; ++i) co_await yield();  // clean-up takes its time
    ++ended;
}

TEST_P(scopes, end_after_their_children) {
    int ended = 0;
    const int seen = run([&]() -> task<int> {
        const int value = co_await with_scope([&](scope& tasks) -> task<int> {
            for (int i = 0; i < 10; ++i) {
                auto spawned = co_await tasks.spawn(linger(ended, i), "child");
                EXPECT_TRUE(spawned);
            }
            EXPECT_EQ(tasks.size(), 10U);
            co_return 5;
        });
        EXPECT_EQ(ended, 10);
        co_return value;
    });
    EXPECT_EQ(seen, 5);
}

// Went wrong: GCC 12 destroyed the body's frame twice, and what was in it.
TEST_P(scopes, destroy_everything_once) {
    counted::destroyed = 0;
    auto body = [](scope& tasks, counted) -> task<> {
        int ended = 0;
        tasks.spawn_now(linger(ended, 2));
        co_await tasks.join();
        EXPECT_EQ(ended, 1);
    };
    run([&]() -> task<> {
        co_await with_scope([&](scope& tasks) { return body(tasks, counted()); });
    });
    EXPECT_EQ(counted::alive, 0);
    EXPECT_GT(counted::destroyed, 0);
}

TEST_P(scopes, throw_the_bodys_exception_after_the_children) {
    int ended = 0;
    run([&]() -> task<> {
        std::string text;
        try {
            co_await with_scope([&](scope& tasks) -> task<> {
                tasks.spawn_now(sleep_until_cancelled(ended));
                co_await yield();
                throw std::runtime_error("body");
            });
        } catch (const std::runtime_error& thrown) {
            text = thrown.what();
        }
        EXPECT_EQ(text, "body");
        EXPECT_EQ(ended, 1) << "cancelled, and awaited";
    });
}

std::vector<std::string> told;
void tell(const char* name, const std::exception_ptr& why) noexcept {
    try {
        std::rethrow_exception(why);
    } catch (const std::runtime_error& thrown) {
        told.push_back(std::string(name) + ": " + thrown.what());
    }
}

TEST_P(scopes, fail_together_and_lose_no_exception) {
    told.clear();
    int ended = 0;
    run([&]() -> task<> {
        std::string text;
        try {
            co_await with_scope(
                [&](scope& tasks) -> task<> {
                    tasks.spawn_now(sleep_until_cancelled(ended));
                    tasks.spawn_now(fail_after(3, "late"), "second");
                    tasks.spawn_now(fail_after(1, "early"), "first");
                    const auto slept = co_await sleep(1h);
                    EXPECT_EQ(slept.error(), errc::cancelled) << "the body is cancelled as well";
                },
                {.failed = tell});
        } catch (const std::runtime_error& thrown) {
            text = thrown.what();
        }
        EXPECT_EQ(text, "early");
    });
    EXPECT_EQ(ended, 1);
    EXPECT_EQ(told, std::vector<std::string>{"second: late"});
}

TEST_P(scopes, that_supervise_go_on) {
    told.clear();
    int ended = 0;
    run([&]() -> task<> {
        co_await with_scope(
            [&](scope& tasks) -> task<> {
                tasks.spawn_now(fail_after(1, "oops"), "clumsy");
                tasks.spawn_now(linger(ended, 10));
                co_return;
            },
            {.policy = on_failure::supervise, .failed = tell});
    });
    EXPECT_EQ(ended, 1);
    EXPECT_EQ(told, std::vector<std::string>{"clumsy: oops"});
}

TEST_P(scopes, with_a_limit_hold_the_spawner_back) {
    int ended = 0;
    run([&]() -> task<> {
        co_await with_scope(
            [&](scope& tasks) -> task<> {
                for (int i = 0; i < 20; ++i) {
                    EXPECT_TRUE(co_await tasks.spawn(linger(ended, 3)));
                    EXPECT_LE(tasks.size(), 4U);
                }
            },
            {.limit = 4});
    });
    EXPECT_EQ(ended, 20);
}

TEST_P(scopes, destroy_what_could_not_be_spawned) {
    int ended = 0;
    run([&]() -> task<> {
        co_await with_scope(
            [&](scope& tasks) -> task<> {
                tasks.spawn_now(sleep_until_cancelled(ended));
                auto late = co_await timeout(1ms, tasks.spawn(linger(ended, 0)));
                EXPECT_EQ(late.error(), errc::deadline_exceeded);
                EXPECT_EQ(counted::alive, 0) << "destroyed, not started";
                tasks.cancel();
            },
            {.limit = 1});
    });
    EXPECT_EQ(ended, 1);
}

TEST_P(scopes, refuse_tasks_of_another_loop) {
    int ended = 0;
    scope foreign(home().root());
    auto other = testing::make_test_loop(GetParam());
    testing::run_task(*other, [](scope& tasks, int& count) -> task<> {
        EXPECT_EQ((co_await tasks.spawn(linger(count, 0))).error(), errc::wrong_loop);
    }(foreign, ended));
    EXPECT_EQ(ended, 0);
}

TEST_P(scopes, may_be_joined_by_several) {
    run([]() -> task<> {
        int joined = 0;
        int ended = 0;
        co_await with_scope([&](scope& outer) -> task<> {
            scope inner(co_await this_task::current_context());
            inner.spawn_now(linger(ended, 3));
            auto join = [](scope& of, int& count, int& done) -> task<> {
                co_await of.join();
                EXPECT_EQ(done, 1);
                ++count;
            };
            outer.spawn_now(join(inner, joined, ended));
            outer.spawn_now(join(inner, joined, ended));
            co_await outer.join();
        });
        EXPECT_EQ(joined, 2);
    });
}

TEST_P(scopes, tell_who_ended_too_early) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    int ended = 0;
    EXPECT_DEATH(
        {
            scope tasks(home().root());
            tasks.spawn_now(linger(ended, 1000000));
            home().turn(loop::wait::none);
            tasks.where().set_name("short-sighted", std::source_location::current());
        },
        "scope in task \"short-sighted\" was destroyed with 1 tasks running");
}

}  // namespace
}  // namespace upcall
