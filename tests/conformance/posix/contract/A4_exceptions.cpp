#include <stdexcept>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

namespace {

task<> throw_after_a_while(const char* what) {
    co_await turns(2);
    throw std::runtime_error(what);
}

}  // namespace

TEST_P(every_driver, A4_an_exception_reaches_its_scope_and_the_loop_goes_on) {
    run([&]() -> task<> {
        std::string caught;
        bool other_was_cancelled = false;
        auto wait_forever = [&]() -> task<> {
            other_was_cancelled = (co_await sleep_until(never)).error() == errc::cancelled;
        };
        try {
            co_await with_scope([&](scope& tasks) -> task<> {
                tasks.spawn_now(wait_forever(), "other");
                tasks.spawn_now(throw_after_a_while("on purpose"), "thrower");
                co_return;
            });
        } catch (const std::runtime_error& thrown) {
            caught = thrown.what();
        }
        EXPECT_EQ(caught, "on purpose");
        EXPECT_TRUE(other_was_cancelled);
        auto [client, server] = co_await connected();
        EXPECT_TRUE(co_await client.write_all(bytes_of("still works")));
    });
}

}  // namespace upcall::test
