#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver_and_sim, D2_a_datagram_of_no_bytes_is_a_value_and_not_the_end) {
    run([&]() -> task<> {
        auto receiver = udp::socket::bind("127.0.0.1:0").value();
        auto sender = udp::socket::open(address_family::ipv4).value();
        const address where = receiver.local_address().value();
        std::byte room[16];
        for (int round = 0; round < 3; ++round) {
            running receiving(home(), receiver.receive(room));
            if (round == 1) co_await turns(2);
            EXPECT_TRUE(co_await sender.send_to({}, where));
            co_await receiving.ended();
            CO_ASSERT(receiving.outcome());
            EXPECT_EQ(receiving.outcome()->size, 0U);
            EXPECT_FALSE(receiving.outcome()->truncated);
        }
        EXPECT_TRUE(co_await sender.send_to(bytes_of("x"), where));
        EXPECT_EQ((co_await receiver.receive(room))->size, 1U);
        // Into no room at all, too.
        EXPECT_TRUE(co_await sender.send_to(bytes_of("lost"), where));
        auto nothing_fits = (co_await receiver.receive({})).value();
        EXPECT_EQ(nothing_fits.size, 4U);
        EXPECT_TRUE(nothing_fits.truncated);
    });
}

}  // namespace upcall::test
