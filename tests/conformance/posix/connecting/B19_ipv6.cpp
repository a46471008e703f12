#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, B19_ipv6_connects_and_shows_its_addresses) {
    run([&]() -> task<> {
        auto listener = tcp::listener::bind("[::1]:0");
        CO_ASSERT(listener);
        auto client = (co_await tcp::connect(listener->local_address().value())).value();
        auto server = (co_await listener->accept()).value();
        EXPECT_EQ(server.peer_address(), client.local_address());
        EXPECT_EQ(client.peer_address()->family(), address_family::ipv6);
        EXPECT_TRUE(co_await client.write_all(bytes_of("over six")));
        EXPECT_TRUE(co_await client.shut_down_writing());
        EXPECT_EQ((co_await read_to_end(server)).text, "over six");
    });
}

TEST_P(every_form, B19_a_wildcard_of_ipv6_takes_ipv4_only_when_asked) {
    run([&]() -> task<> {
        auto six_only = tcp::listener::bind("[::]:0").value();
        const std::uint16_t port = six_only.local_address()->port();
        auto over_four = co_await tcp::connect(address::loopback(port));
        EXPECT_EQ(over_four.error(), std::errc::connection_refused);
        tcp::listen_options both;
        both.only_ipv6 = false;
        auto dual = tcp::listener::bind("[::]:0", both).value();
        auto client = co_await tcp::connect(address::loopback(dual.local_address()->port()));
        CO_ASSERT(client);
        auto server = (co_await dual.accept()).value();
        EXPECT_EQ(server.peer_address()->family(), address_family::ipv6) << "a mapped address";
    });
}

}  // namespace upcall::test
