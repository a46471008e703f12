#include <stdexcept>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

namespace {

task<> fail_with(const char* what, int after) {
    co_await turns(after);
    throw std::runtime_error(what);
}

}  // namespace

TEST_P(every_driver, N2_of_two_exceptions_one_is_thrown_and_the_other_is_told) {
    run([&]() -> task<> {
        static std::string told;
        told.clear();
        std::string thrown;
        auto body = [&](scope& tasks) -> task<> {
            tasks.spawn_now(fail_with("first", 1), "one");
            tasks.spawn_now(fail_with("second", 1), "two");
            tasks.spawn_now(fail_with("third", 2), "three");
            co_return;
        };
        try {
            co_await with_scope(body);
        } catch (const std::runtime_error& error) {
            thrown = error.what();
        }
        EXPECT_EQ(thrown, "first");

        scope_options lenient;
        lenient.policy = on_failure::supervise;
        lenient.failed = [](const char* name, const std::exception_ptr&) noexcept { told += name; };
        bool other_ended = false;
        auto other = [&]() -> task<> {
            EXPECT_TRUE(co_await sleep(std::chrono::milliseconds(3)));
            other_ended = true;
        };
        auto supervised = [&](scope& tasks) -> task<> {
            tasks.spawn_now(fail_with("x", 1), "a");
            tasks.spawn_now(fail_with("y", 1), "b");
            tasks.spawn_now(other(), "other");
            co_return;
        };
        co_await with_scope(supervised, lenient);
        EXPECT_EQ(told, "ab");
        EXPECT_TRUE(other_ended);
    });
}

TEST_P(every_driver, N2_what_is_thrown_between_operations_ends_the_children_first) {
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        int children = 0;
        auto read = [&]() -> task<> {
            ++children;
            std::byte room[8];
            EXPECT_EQ((co_await server.read(room)).error(), errc::cancelled);
            co_await yield();
            --children;
        };
        auto body = [&](scope& tasks) -> task<> {
            tasks.spawn_now(read(), "one");
            tasks.spawn_now(read(), "two");
            co_await turns(2);
            EXPECT_EQ(children, 2);
            throw std::runtime_error("body");
        };
        int left = -1;
        try {
            co_await with_scope(body);
        } catch (const std::runtime_error&) {
            left = children;
        }
        EXPECT_EQ(left, 0);
    });
}

}  // namespace upcall::test
