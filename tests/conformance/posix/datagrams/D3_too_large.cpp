#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver_and_sim, D3_a_datagram_too_large_for_the_network_is_refused_and_later_ones_go) {
    run([&]() -> task<> {
        auto receiver = udp::socket::bind("127.0.0.1:0").value();
        auto sender = udp::socket::open(address_family::ipv4).value();
        const address where = receiver.local_address().value();
        const std::string huge(70'000, 'x');
        auto refused = co_await sender.send_to(bytes_of(huge), where);
        CO_ASSERT(!refused);
        EXPECT_EQ(refused.error(), std::errc::message_size);
        const std::string largest = counted_text(65'507);
        EXPECT_TRUE(co_await sender.send_to(bytes_of(largest), where));
        std::string room(70'000, ' ');
        auto got = (co_await receiver.receive(bytes_in(room))).value();
        EXPECT_EQ(got.size, largest.size());
        EXPECT_TRUE(room.substr(0, got.size) == largest);
    });
}

}  // namespace upcall::test
