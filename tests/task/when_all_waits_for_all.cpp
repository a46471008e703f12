// when_all: every outcome, in order; an exception ends the others and is thrown when they ended.
#include <upcall/task/when_all.hpp>

#include <memory>
#include <stdexcept>
#include <upcall/sync/mutex.hpp>
#include <upcall/sync/semaphore.hpp>
#include <upcall/task/sleep.hpp>
#include <upcall/task/timeout.hpp>

#include "support/loop_test.hpp"

namespace upcall {
namespace {

using namespace std::chrono_literals;

class when_all_of : public testing::loop_test {};
UPCALL_ON_EVERY_DRIVER(when_all_of);

task<int> later(int value, int yields) {
    for (int i = 0; i < yields; ++i) co_await yield();
    co_return value;
}

task<> note(std::vector<int>& into, int value) {
    co_await yield();
    into.push_back(value);
}

task<int> fail_after(int yields, const char* text) {
    for (int i = 0; i < yields; ++i) co_await yield();
    throw std::runtime_error(text);
}

/// Sleeps until it is cancelled; tells when it is over.
task<> sleep_long(bool& over, std::error_code& why) {
    auto slept = co_await sleep(1h);
    why = slept ? std::error_code{} : slept.error();
    co_await yield();
    over = true;
}

TEST_P(when_all_of, requests_and_tasks_yields_each_outcome) {
    run([]() -> task<> {
        std::vector<int> noted;
        auto [slept, value, nothing, gave_way] =
            co_await when_all(sleep(1ms), later(7, 3), note(noted, 1), yield());
        EXPECT_TRUE(slept);
        EXPECT_EQ(value, 7);
        EXPECT_EQ(noted, std::vector<int>{1});
        static_assert(std::is_same_v<decltype(nothing), std::monostate>);
        static_assert(std::is_same_v<decltype(gave_way), std::monostate>);
    });
}

TEST_P(when_all_of, nothing_is_done_at_once) {
    run([]() -> task<> {
        static_assert(std::is_same_v<decltype(when_all().release()), std::tuple<>>);
        co_await when_all();
    });
}

TEST_P(when_all_of, values_that_only_move) {
    run([]() -> task<> {
        auto make = [](int value) -> task<std::unique_ptr<int>> {
            co_return std::make_unique<int>(value);
        };
        auto [a, b] = co_await when_all(make(1), make(2));
        EXPECT_EQ(*a + *b, 3);
    });
}

TEST_P(when_all_of, a_range_keeps_the_order) {
    run([]() -> task<> {
        std::vector<task<int>> tasks;
        for (int i = 0; i < 100; ++i) tasks.push_back(later(i, (i * 7) % 13));
        const std::vector<int> values = co_await when_all(std::move(tasks));
        EXPECT_EQ(values.size(), 100U);
        for (int i = 0; i < 100; ++i) EXPECT_EQ(values[static_cast<std::size_t>(i)], i);
        std::vector<int> noted;
        std::vector<task<>> silent;
        for (int i = 0; i < 3; ++i) silent.push_back(note(noted, i));
        co_await when_all(std::move(silent));
        EXPECT_EQ(noted.size(), 3U);
        co_await when_all(std::vector<task<>>{});
    });
}

TEST_P(when_all_of, an_exception_cancels_the_others_and_comes_after_them) {
    run([]() -> task<> {
        bool over = false;
        std::error_code why;
        std::string text;
        try {
            co_await when_all(sleep_long(over, why), fail_after(2, "first"), sleep(1h),
                              fail_after(5, "second"));
        } catch (const std::runtime_error& thrown) {
            text = thrown.what();
        }
        EXPECT_EQ(text, "first");
        EXPECT_TRUE(over) << "the others were awaited";
        EXPECT_EQ(why, errc::cancelled);
    });
}

TEST_P(when_all_of, an_exception_in_a_range_does_so_too) {
    run([]() -> task<> {
        std::vector<task<int>> tasks;
        auto wait = []() -> task<int> { co_return (co_await sleep(1h)) ? 1 : 0; };
        tasks.push_back(wait());
        tasks.push_back(fail_after(3, "of three"));
        tasks.push_back(fail_after(1, "of one"));
        std::string text;
        try {
            co_await when_all(std::move(tasks));
        } catch (const std::runtime_error& thrown) {
            text = thrown.what();
        }
        EXPECT_EQ(text, "of one");
    });
}

/// Whether `what` throws a runtime_error.
template <class What>
task<bool> throws(What what) {
    try {
        static_cast<void>(co_await std::move(what));
    } catch (const std::runtime_error&) {
        co_return true;
    }
    co_return false;
}

// Went wrong: what the others had got was never taken, so a mutex stayed locked for good.
TEST_P(when_all_of, an_exception_gives_back_what_the_others_got) {
    run([]() -> task<> {
        mutex door;
        semaphore places(3);
        EXPECT_TRUE(co_await throws(
            when_all(door.lock(), fail_after(3, "after it was locked"), places.acquire(2))));
        EXPECT_FALSE(door.is_locked());
        EXPECT_EQ(places.available(), 3U);

        auto held = door.try_lock();
        auto unlock_then_throw = [&]() -> task<> {
            held.unlock();
            co_await yield();
            throw std::runtime_error("after somebody's turn had come");
        };
        EXPECT_TRUE(co_await throws(when_all(timeout(1h, door.lock()), unlock_then_throw())));
        EXPECT_FALSE(door.is_locked());
    });
}

TEST_P(when_all_of, an_exception_gives_back_what_nested_ones_got) {
    run([]() -> task<> {
        mutex door;
        semaphore places(3);
        auto inner = when_all(door.lock(), fail_after(5, "second"));
        EXPECT_TRUE(co_await throws(when_all(std::move(inner), fail_after(2, "first"),
                                             timeout(1h, when_all(places.acquire(), yield())))));
        EXPECT_FALSE(door.is_locked());
        EXPECT_EQ(places.available(), 3U);
    });
}

TEST_P(when_all_of, errors_are_values_and_end_nobody) {
    run([]() -> task<> {
        auto [late, value] = co_await when_all(timeout(0ms, sleep(1h)), later(1, 10));
        EXPECT_EQ(late.error(), errc::deadline_exceeded);
        EXPECT_EQ(value, 1);
    });
}

TEST_P(when_all_of, nested_ones_and_cancellation_from_outside) {
    run([]() -> task<> {
        auto all =
            co_await timeout(1ms, when_all(sleep(1h), when_all(sleep(2h), later(1, 2)), sleep(3h)));
        EXPECT_EQ(std::get<0>(all).error(), errc::deadline_exceeded);
        EXPECT_EQ(std::get<0>(std::get<1>(all)).error(), errc::deadline_exceeded);
        EXPECT_EQ(std::get<1>(std::get<1>(all)), 1);
    });
}

}  // namespace
}  // namespace upcall
