// UDP: boundaries are kept, nothing is taken for an end, and the truth is told about what was lost.
#include <array>
#include <upcall/io/udp.hpp>

#include "pairs.hpp"

namespace upcall::testing {
namespace {

class udp_socket : public io_test {};
UPCALL_FOR_EVERY_LOOP(udp_socket);

struct udp_pair {
    udp::socket here;
    udp::socket there;  // knows nobody
    address at;         // where `there` is
};

task<udp_pair> sockets() {
    auto there = udp::socket::bind("127.0.0.1:0").value();
    const address at = there.local_address().value();
    auto here = udp::socket::bind("127.0.0.1:0").value();
    EXPECT_TRUE(co_await here.connect(at));
    co_return udp_pair{std::move(here), std::move(there), at};
}

std::string_view text_in(const std::string& buffer, const datagram& got) {
    return std::string_view(buffer).substr(0, got.size);
}

TEST_P(udp_socket, keeps_boundaries_and_tells_the_sender) {
    run([]() -> task<> {
        auto [here, there, at] = co_await sockets();
        EXPECT_EQ(here.peer_address().value(), at);
        EXPECT_EQ(there.peer_address().error(), std::errc::not_connected);
        EXPECT_TRUE(co_await here.send(bytes_of("one")));
        EXPECT_TRUE(co_await here.send({}));
        EXPECT_TRUE(co_await here.send(bytes_of("three")));
        std::string buffer(64, '\0');
        for (const std::string_view expected : {"one", "", "three"}) {
            const auto got = (co_await there.receive(room_in(buffer))).value();
            EXPECT_EQ(text_in(buffer, got), expected);
            EXPECT_FALSE(got.truncated);
            EXPECT_EQ(got.peer, here.local_address().value());
            EXPECT_TRUE(co_await there.send_to(bytes_of("answer"), got.peer));
        }
        for (int answer = 0; answer < 3; ++answer) {
            const auto got = (co_await here.receive_more(room_in(buffer))).value();
            EXPECT_EQ(text_in(buffer, got), "answer");
            EXPECT_EQ(got.peer, at);
        }
    });
}

TEST_P(udp_socket, tells_how_long_a_truncated_datagram_was) {
    run([]() -> task<> {
        auto [here, there, at] = co_await sockets();
        EXPECT_TRUE(co_await here.send(bytes_of("0123456789")));
        EXPECT_TRUE(co_await here.send(bytes_of("next")));
        EXPECT_TRUE(co_await here.send(bytes_of("last")));
        std::string buffer(4, '\0');
        const auto cut = (co_await there.receive(room_in(buffer))).value();
        EXPECT_TRUE(cut.truncated);
        EXPECT_EQ(cut.size, 10U);
        EXPECT_EQ(buffer, "0123");
        const auto next = (co_await there.receive(room_in(buffer))).value();
        EXPECT_FALSE(next.truncated);
        EXPECT_EQ(text_in(buffer, next), "next");
        const auto none = (co_await there.receive({})).value();
        EXPECT_TRUE(none.truncated);
        EXPECT_EQ(none.size, 4U);
    });
}

TEST_P(udp_socket, refuses_what_is_too_long_and_goes_on) {
    run([]() -> task<> {
        auto [here, there, at] = co_await sockets();
        const std::string huge(70'000, 'x');
        EXPECT_EQ((co_await here.send(bytes_of(std::string_view(huge)))).error(),
                  std::errc::message_size);
        const std::string most(65'507, 'y');  // 65,535 less the headers of IP and UDP
        EXPECT_TRUE(co_await here.send(bytes_of(std::string_view(most))));
        std::string buffer(65'536, '\0');
        const auto got = (co_await there.receive(room_in(buffer))).value();
        EXPECT_TRUE(text_in(buffer, got) == most);
    });
}

TEST_P(udp_socket, hears_of_a_closed_port_when_connected_and_only_then) {
    run([]() -> task<> {
        auto [here, there, at] = co_await sockets();
        EXPECT_TRUE(co_await there.close());
        std::string buffer(8, '\0');
        EXPECT_TRUE(co_await here.send(bytes_of("anybody?")));
        // On loopback the answer is there before the call returns.
        EXPECT_EQ((co_await here.receive(room_in(buffer))).error(), std::errc::connection_refused);

        auto loose = udp::socket::bind("127.0.0.1:0").value();
        EXPECT_TRUE(co_await loose.send_to(bytes_of("anybody?"), at));
        EXPECT_TRUE(co_await loose.send_to(bytes_of("self"), loose.local_address().value()));
        const auto got = (co_await loose.receive(room_in(buffer))).value();
        EXPECT_EQ(text_in(buffer, got), "self");
        // The connected one can be connected anew.
        EXPECT_TRUE(co_await here.connect(loose.local_address().value()));
        EXPECT_TRUE(co_await here.send(bytes_of("hello")));
        EXPECT_EQ((co_await loose.receive(room_in(buffer))).value().size, 5U);
    });
}

TEST_P(udp_socket, serves_receivers_in_order) {
    run([]() -> task<> {
        auto [here, there, at] = co_await sockets();
        std::array<std::string, 5> got;
        co_await with_scope([&](scope& side) -> task<> {
            for (std::string& one : got)
                side.spawn_now([](udp::socket& from, std::string& into) -> task<> {
                    into.resize(16);
                    into.resize((co_await from.receive(room_in(into))).value().size);
                }(there, one));
            co_await yield();
            for (const std::string_view text : {"a", "b", "c", "d", "e"})
                EXPECT_TRUE(co_await here.send(bytes_of(text)));
        });
        EXPECT_EQ(got, (std::array<std::string, 5>{"a", "b", "c", "d", "e"}));
    });
}

TEST_P(udp_socket, cancelled_receives_take_nothing) {
    run([]() -> task<> {
        auto [here, there, at] = co_await sockets();
        std::vector<std::error_code> ends;
        co_await with_scope([&](scope& side) -> task<> {
            scope waiting(side.where());
            for (int receiver = 0; receiver < 3; ++receiver)
                waiting.spawn_now(
                    [](udp::socket& from, std::vector<std::error_code>& into) -> task<> {
                        std::string buffer(16, '\0');
                        into.push_back((co_await from.receive(room_in(buffer))).error());
                    }(there, ends));
            co_await yield();
            waiting.cancel();
            co_await waiting.join();
        });
        EXPECT_EQ(ends, std::vector(3, make_error_code(errc::cancelled)));
        EXPECT_TRUE(co_await here.send(bytes_of("still here")));
        std::string buffer(16, '\0');
        const auto got = (co_await there.receive(room_in(buffer))).value();
        EXPECT_EQ(text_in(buffer, got), "still here");
    });
}

TEST_P(udp_socket, closing_ends_all_waits_before_itself) {
    run([]() -> task<> {
        auto [here, there, at] = co_await sockets();
        std::vector<std::string> order;
        co_await with_scope([&](scope& side) -> task<> {
            for (int receiver = 0; receiver < 3; ++receiver)
                side.spawn_now([](udp::socket& from, std::vector<std::string>& into) -> task<> {
                    std::string buffer(16, '\0');
                    const auto got = co_await from.receive(room_in(buffer));
                    into.push_back(got.error() == errc::closed ? "closed" : "?");
                }(there, order));
            co_await yield();
            EXPECT_TRUE(co_await there.close());
            order.emplace_back("done");
        });
        EXPECT_EQ(order, (std::vector<std::string>{"closed", "closed", "closed", "done"}));
        EXPECT_FALSE(there);
        EXPECT_EQ((co_await there.receive({})).error(), errc::closed);
        EXPECT_EQ((co_await there.connect(at)).error(), errc::closed);
        EXPECT_EQ(there.local_address().error(), errc::closed);
    });
}

TEST_P(udp_socket, a_full_queue_of_receivers_refuses_more) {
    run([]() -> task<> {
        auto [here, there, at] = co_await sockets();
        int refused = 0;
        co_await with_scope([&](scope& side) -> task<> {
            for (int receiver = 0; receiver < 66; ++receiver)
                side.spawn_now([](udp::socket& from, int& full) -> task<> {
                    std::string buffer(16, '\0');
                    const auto got = co_await from.receive(room_in(buffer));
                    if (!got && got.error() == errc::queue_full) ++full;
                }(there, refused));
            while (refused < 2) co_await yield();
            there = {};
        });
        EXPECT_EQ(refused, 2);
    });
}

// Nothing that was claimed as sent is lost by us, however fast it comes: what the kernel drops, it
// drops at the receiver.
TEST_P(udp_socket, survives_a_flood) {
    run([]() -> task<> {
        auto [here, there, at] = co_await sockets();
        const std::string text(1400, 'f');
        for (int count = 0; count < 5000; ++count) {
            const auto sent = co_await here.send(bytes_of(std::string_view(text)));
            EXPECT_TRUE(sent || sent.error() == std::errc::no_buffer_space);
        }
        std::string buffer(2000, '\0');
        const auto got = (co_await there.receive(room_in(buffer))).value();
        EXPECT_EQ(text_in(buffer, got), text);
    });
}

TEST_P(udp_socket, options_and_addresses) {
    run([]() -> task<> {
        auto first = udp::socket::bind("127.0.0.1:0", {.reuse_port = true}).value();
        const address at = first.local_address().value();
        EXPECT_EQ(udp::socket::bind(at).error(), std::errc::address_in_use);
        EXPECT_TRUE(udp::socket::bind(at, {.reuse_port = true}));
        EXPECT_EQ(udp::socket::bind("nonsense").error(), std::errc::invalid_argument);
        EXPECT_EQ(udp::socket::bind("unix:/nowhere").error(), std::errc::invalid_argument);
        EXPECT_EQ(udp::socket::open(address_family::none).error(), std::errc::invalid_argument);

        auto loose = udp::socket::open(address_family::ipv4).value();
        const address everybody = address::ipv4({255, 255, 255, 255}, 9);
        EXPECT_EQ((co_await loose.send_to(bytes_of("x"), everybody)).error(),
                  std::errc::permission_denied);
        EXPECT_TRUE(loose.set_broadcast(true));
        EXPECT_EQ(loose.option(socket_option::broadcast).value(), 1);
        EXPECT_EQ((co_await loose.send(bytes_of("x"))).error(),
                  std::errc::destination_address_required);

        const native_handle native = first.release().value();
        EXPECT_FALSE(first);
        auto again = udp::socket::adopt(native).value();
        EXPECT_EQ(again.local_address().value(), at);
        EXPECT_EQ(udp::socket::adopt(-1).error(), std::errc::bad_file_descriptor);
    });
}

TEST_P(udp_socket, speaks_ipv6) {
    run([]() -> task<> {
        auto there = udp::socket::bind("[::1]:0").value();
        auto here = udp::socket::open(address_family::ipv6).value();
        EXPECT_TRUE(co_await here.send_to(bytes_of("six"), there.local_address().value()));
        std::string buffer(8, '\0');
        const auto got = (co_await there.receive(room_in(buffer))).value();
        EXPECT_EQ(text_in(buffer, got), "six");
        EXPECT_EQ(got.peer.family(), address_family::ipv6);

        // Both families on one socket: the other one's peers appear mapped.
        auto dual = udp::socket::bind("[::]:0", {.only_ipv6 = false}).value();
        auto four = udp::socket::open(address_family::ipv4).value();
        const auto port = dual.local_address().value().port();
        EXPECT_TRUE(co_await four.send_to(bytes_of("four"), address::loopback(port)));
        const auto mapped = (co_await dual.receive(room_in(buffer))).value();
        EXPECT_TRUE(mapped.peer.to_string().starts_with("[::ffff:127.0.0.1]:"));
        EXPECT_TRUE(co_await dual.send_to(bytes_of("back"), mapped.peer));
        EXPECT_EQ((co_await four.receive(room_in(buffer))).value().size, 4U);
    });
}

TEST_P(udp_socket, joins_and_leaves_groups) {
    run([]() -> task<> {
        const address group = address::ipv4({239, 255, 77, 7}, 0);
        auto there = udp::socket::bind("0.0.0.0:0", {.reuse_address = true}).value();
        constexpr std::uint32_t loopback = 1;  // the first interface of every Linux network
        EXPECT_TRUE(there.join(group, loopback));
        EXPECT_EQ(there.join(group, loopback).error(), std::errc::address_in_use);
        auto here = udp::socket::open(address_family::ipv4).value();
        EXPECT_TRUE(here.set_option(socket_option::multicast_interface, loopback));
        EXPECT_TRUE(here.set_option(socket_option::multicast_hops, 0));
        EXPECT_EQ(here.option(socket_option::multicast_loop).value(), 1);
        address to = group;
        to.set_port(there.local_address().value().port());
        EXPECT_TRUE(co_await here.send_to(bytes_of("all"), to));
        std::string buffer(8, '\0');
        EXPECT_EQ((co_await there.receive(room_in(buffer))).value().size, 3U);
        EXPECT_TRUE(there.leave(group, loopback));
        EXPECT_EQ(there.leave(group, loopback).error(), std::errc::address_not_available);
        EXPECT_EQ(there.join(address::loopback(0)).error(), std::errc::invalid_argument);
    });
}

}  // namespace
}  // namespace upcall::testing
