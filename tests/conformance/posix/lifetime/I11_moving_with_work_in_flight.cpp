#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, I11_a_stream_with_work_in_flight_cannot_be_released) {
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        std::byte room[8];
        running reading(home(), server.read(room));
        co_await turns(2);
        EXPECT_EQ(server.release().error(), std::errc::device_or_resource_busy);
        EXPECT_TRUE(server) << "and stays as it was";
        EXPECT_TRUE(co_await client.write_all(bytes_of("x")));
        co_await reading.ended();
        EXPECT_EQ(reading.outcome().value_or(0), 1U);
        auto native = server.release();
        CO_ASSERT(native);
        auto again = tcp::stream::adopt(*native);
        CO_ASSERT(again);
        EXPECT_TRUE(co_await client.write_all(bytes_of("y")));
        EXPECT_EQ((co_await again->read(room)).value_or(0), 1U);
    });
}

}  // namespace upcall::test
