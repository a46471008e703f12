// What may not be written does not compile, and what may not be done is told in a sentence.
#include <upcall/io/file.hpp>
#include <upcall/io/stream.hpp>
#include <upcall/io/udp.hpp>
#include <upcall/task/scope.hpp>
#include <upcall/task/sleep.hpp>
#include <upcall/task/when_any.hpp>

#include "support/loop_test.hpp"

namespace upcall {
namespace {

using sleep_request = decltype(sleep({}));

template <class T>
concept awaited_with_a_name = requires(T& named) { named.operator co_await(); };
template <class T>
concept awaited_when_moved = requires(T& named) { std::move(named).operator co_await(); };

static_assert(awaited_when_moved<task<>> && !awaited_with_a_name<task<>>);
static_assert(awaited_when_moved<sleep_request> && !awaited_with_a_name<sleep_request>);

// Went wrong: a request could be copied, and so be awaited twice.
static_assert(std::movable<sleep_request> && !std::copyable<sleep_request>);
static_assert(
    !std::is_copy_constructible_v<decltype(copy(std::declval<file&>(), std::declval<file&>()))>);

template <class T>
concept combined_with_a_name = requires(T& named) { when_any(named, sleep({})); };
template <class T>
concept combined_when_moved = requires(T& named) { when_any(std::move(named), sleep({})); };
static_assert(combined_when_moved<sleep_request> && !combined_with_a_name<sleep_request>);

using void_body = decltype([](scope&) -> task<> { co_return; });
using int_body = decltype([](scope&) -> task<int> { co_return 1; });
using plain_function = decltype([](scope&) { return 1; });
using other_argument = decltype([](int) -> task<> { co_return; });
template <class Body>
concept runs_in_a_scope = requires(Body body) { with_scope(body); };
static_assert(runs_in_a_scope<void_body> && runs_in_a_scope<int_body>);
static_assert(!runs_in_a_scope<plain_function> && !runs_in_a_scope<other_argument>);

static_assert(detail::task_value<void> && detail::task_value<int> &&
              detail::task_value<std::unique_ptr<int>>);
static_assert(!detail::task_value<int&> && !detail::task_value<int[2]>);

struct foreign_promise {};
static_assert(detail::awaits_in_a_task<detail::promise<void>> &&
              detail::awaits_in_a_task<detail::promise<int>>);
static_assert(!detail::awaits_in_a_task<foreign_promise>);

template <class Awaiter, class Promise>
concept suspends = requires(Awaiter& awaiter, std::coroutine_handle<Promise> waiting) {
    awaiter.await_suspend(waiting);
};
using sleep_awaiter = decltype(sleep({}).operator co_await());
using task_awaiter = decltype(task<>().operator co_await());
static_assert(suspends<sleep_awaiter, detail::promise<void>> &&
              !suspends<sleep_awaiter, foreign_promise>);
static_assert(suspends<task_awaiter, detail::promise<void>> &&
              !suspends<task_awaiter, foreign_promise>);

TEST(failures, are_made_of_any_code) {
    const result<int> ours = failure(errc::closed);
    EXPECT_EQ(ours.error(), errc::closed);
    const result<int> of_the_system = failure(std::errc::invalid_argument);
    EXPECT_EQ(of_the_system.error(), std::errc::invalid_argument);
    const result<int> of_the_library = failure(std::io_errc::stream);
    EXPECT_EQ(of_the_library.error(), std::io_errc::stream);
    const result<int> passed_on = failure(of_the_system.error());
    EXPECT_EQ(passed_on.error(), std::errc::invalid_argument);
}

class misuse : public testing::loop_test {
  protected:
    void SetUp() override {
        GTEST_FLAG_SET(death_test_style, "threadsafe");
        loop_test::SetUp();
    }
    void run_named(task<> what) {
        run([&]() -> task<> {
            co_await with_scope([&](scope& tasks) -> task<> {
                tasks.spawn_now(std::move(what), "careless");
                co_return;
            });
        });
    }
};
UPCALL_ON_EVERY_DRIVER(misuse);

task<> nothing() { co_return; }

task<> await_twice() {
    auto once = nothing();
    co_await std::move(once);
    co_await std::move(once);
}

task<> await_moved() {
    auto first = nothing();
    auto second = std::move(first);
    co_await std::move(first);
    co_await std::move(second);
}

task<> await_what_runs(task<>& running) {
    co_await yield();
    co_await std::move(running);
}
task<> stay() {
    for (int turn = 0; turn < 5; ++turn) co_await yield();
}
task<> await_side_by_side() {
    auto running = stay();
    co_await with_scope([&](scope& tasks) -> task<> {
        tasks.spawn_now(await_what_runs(running), "second");
        co_await std::move(running);
    });
}

task<> spawn_moved() {
    co_await with_scope([&](scope& tasks) -> task<> {
        auto once = nothing();
        auto taken = std::move(once);
        tasks.spawn_now(std::move(once));
        co_await std::move(taken);
    });
}

TEST_P(misuse, of_a_task_is_fatal_and_names_who_did_it) {
    EXPECT_DEATH(run_named(await_twice()),
                 "task \"careless\" awaited or spawned a task that was awaited before");
    EXPECT_DEATH(run_named(await_moved()), "task \"careless\" awaited or spawned an empty task");
    EXPECT_DEATH(run_named(spawn_moved()), "task \"careless\" awaited or spawned an empty task");
    EXPECT_DEATH(run_named(await_side_by_side()),
                 "task \"second\" awaited or spawned a task that was awaited before");
}

TEST_P(misuse, of_a_join_is_fatal) {
    EXPECT_DEATH(run([]() -> task<> {
                     co_await with_scope([](scope& tasks) -> task<> {
                         auto child = tasks.async(nothing());
                         co_await child.join();
                         co_await child.join();
                     });
                 }),
                 "join was called twice");
}

TEST(misuse_of_what_is_empty, is_fatal_when_its_loop_is_asked_for) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(static_cast<void>(byte_stream().home()), "asked of an empty stream");
    EXPECT_DEATH(static_cast<void>(udp::socket().home()), "asked of an empty socket");
}

}  // namespace
}  // namespace upcall
