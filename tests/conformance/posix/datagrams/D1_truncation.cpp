#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver_and_sim, D1_a_datagram_longer_than_its_buffer_says_so_and_the_next_is_whole) {
    run([&]() -> task<> {
        auto receiver = udp::socket::bind("127.0.0.1:0").value();
        auto sender = udp::socket::open(address_family::ipv4).value();
        const address where = receiver.local_address().value();
        const std::string large = counted_text(1000);
        EXPECT_TRUE(co_await sender.send_to(bytes_of(large), where));
        EXPECT_TRUE(co_await sender.send_to(bytes_of("next"), where));
        std::string room(100, '-');
        auto cut = (co_await receiver.receive(bytes_in(room))).value();
        EXPECT_TRUE(cut.truncated);
        EXPECT_EQ(cut.size, large.size());
        EXPECT_EQ(room, large.substr(0, 100));
        EXPECT_EQ(cut.peer.port(), sender.local_address()->port());
        auto whole = (co_await receiver.receive(bytes_in(room))).value();
        EXPECT_FALSE(whole.truncated);
        EXPECT_EQ(room.substr(0, whole.size), "next");
    });
}

}  // namespace upcall::test
