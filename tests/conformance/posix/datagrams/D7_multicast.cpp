#include "conformance/fixture.hpp"
#include "conformance/posix/network.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, D7_a_group_is_joined_and_left_and_broadcasts_need_permission) {
    run([&]() -> task<> {
        auto receiver = udp::socket::bind("0.0.0.0:0").value();
        const std::uint16_t port = receiver.local_address()->port();
        const address group = address::ipv4({239, 255, 17, 42}, port);
        const std::uint32_t loopback = ::if_nametoindex("lo");
        auto joined = receiver.join(group, loopback);
        EXPECT_TRUE(joined) << joined.error().message();
        EXPECT_EQ(receiver.join(group, loopback).error(), std::errc::address_in_use);
        EXPECT_TRUE(receiver.leave(group, loopback));
        EXPECT_EQ(receiver.leave(group, loopback).error(), std::errc::address_not_available);
        EXPECT_FALSE(receiver.join(address::ipv4({10, 1, 2, 3}, port), loopback)) << "no group";
        EXPECT_TRUE(receiver.set_option(socket_option::time_to_live, 3));
        EXPECT_EQ(receiver.option(socket_option::time_to_live), 3);
        auto sender = udp::socket::open(address_family::ipv4).value();
        const address broadcast = address::ipv4({127, 255, 255, 255}, port);
        EXPECT_EQ((co_await sender.send_to(bytes_of("x"), broadcast)).error(),
                  std::errc::permission_denied);
        EXPECT_TRUE(sender.set_broadcast(true));
        EXPECT_TRUE(co_await sender.send_to(bytes_of("x"), broadcast));
    });
}

}  // namespace upcall::test
