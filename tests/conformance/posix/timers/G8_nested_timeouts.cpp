#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, G8_of_nested_timeouts_the_first_to_pass_counts_and_once) {
    using namespace std::chrono_literals;
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        std::byte room[8];
        auto outer_first = co_await timeout(2ms, timeout(1h, server.read(room)));
        EXPECT_EQ(outer_first.error(), errc::deadline_exceeded);
        auto inner_first = co_await timeout(1h, timeout(2ms, server.read(room)));
        EXPECT_EQ(inner_first.error(), errc::deadline_exceeded);
        auto equal = co_await timeout(2ms, timeout(2ms, server.read(room)));
        EXPECT_EQ(equal.error(), errc::deadline_exceeded);
        auto at_once = co_await timeout(0ms, server.read(room));
        EXPECT_EQ(at_once.error(), errc::deadline_exceeded);
        running patient(home(), timeout(1h, timeout(1h, server.read(room))));
        co_await turns(2);
        EXPECT_TRUE(co_await client.write_all(bytes_of("x")));
        co_await patient.ended();
        EXPECT_EQ(patient.outcome().value_or(0), 1U);
        EXPECT_TRUE(home().timers().empty());
    });
}

}  // namespace upcall::test
