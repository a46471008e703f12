// Options of sockets by their meaning, and addresses as the kernel has them.
#include <unistd.h>

#include <set>
#include <string>

#include "support/driver_test.hpp"

namespace upcall::test {
namespace {

class options : public driver_test {};
INSTANTIATE_TEST_SUITE_P(drivers, options, ::testing::Values(host_driver("epoll")),
                         [](const auto& driver_info) { return driver_info.param.name; });

TEST_P(options, are_read_back) {
    auto socket = *via().open_socket(address_family::ipv4, socket_type::stream);
    auto& record = *socket.record();
    for (const auto which : {socket_option::reuse_address, socket_option::reuse_port,
                             socket_option::keep_alive, socket_option::no_delay}) {
        EXPECT_EQ(*via().get_option(record, which), 0);
        EXPECT_TRUE(via().set_option(record, which, 1));
        EXPECT_EQ(*via().get_option(record, which), 1);
    }
    EXPECT_TRUE(via().set_option(record, socket_option::time_to_live, 7));
    EXPECT_EQ(*via().get_option(record, socket_option::time_to_live), 7);
    EXPECT_TRUE(via().set_option(record, socket_option::send_buffer, 20000));
    EXPECT_GE(*via().get_option(record, socket_option::send_buffer), 20000);
    EXPECT_EQ(*via().get_option(record, socket_option::pending_error), 0);
}

TEST_P(options, linger_resets_but_never_waits) {
    auto socket = *via().open_socket(address_family::ipv4, socket_type::stream);
    auto& record = *socket.record();
    EXPECT_EQ(*via().get_option(record, socket_option::linger_seconds), -1);
    EXPECT_TRUE(via().set_option(record, socket_option::linger_seconds, 0));
    EXPECT_EQ(*via().get_option(record, socket_option::linger_seconds), 0);
    EXPECT_TRUE(via().set_option(record, socket_option::linger_seconds, -1));
    EXPECT_EQ(*via().get_option(record, socket_option::linger_seconds), -1);
    EXPECT_EQ(via().set_option(record, socket_option::linger_seconds, 5).error(),
              errc::unsupported);
}

TEST_P(options, of_ipv6_have_names_of_their_own) {
    auto socket = *via().open_socket(address_family::ipv6, socket_type::stream);
    auto& record = *socket.record();
    EXPECT_TRUE(via().set_option(record, socket_option::only_ipv6, 1));
    EXPECT_EQ(*via().get_option(record, socket_option::only_ipv6), 1);
    EXPECT_TRUE(via().set_option(record, socket_option::time_to_live, 9));
    EXPECT_EQ(*via().get_option(record, socket_option::time_to_live), 9);
}

TEST_P(options, that_make_no_sense_are_errors) {
    auto [reader, writer] = *via().open_pipe();
    EXPECT_EQ(via().set_option(*reader.record(), socket_option::keep_alive, 1).error(),
              std::errc::not_a_socket);
    auto socket = *via().open_socket(address_family::ipv4, socket_type::stream);
    EXPECT_EQ(via().set_option(*socket.record(), socket_option::pending_error, 1).error(),
              std::errc::invalid_argument);
    EXPECT_EQ(via().set_option(*socket.record(), socket_option::send_buffer, 1LL << 40).error(),
              std::errc::invalid_argument);
    EXPECT_EQ(via().open_socket(address_family::none, socket_type::stream).error(),
              std::errc::address_family_not_supported);
}

TEST_P(options, addresses_in_use_and_of_others_are_refused) {
    auto first = bench.listening();
    const auto where = *via().local_address(*first.record());
    auto second = *via().open_socket(address_family::ipv4, socket_type::stream);
    EXPECT_EQ(via().bind(*second.record(), where).error(), std::errc::address_in_use);
    EXPECT_EQ(via().bind(*second.record(), address::ipv4({192, 0, 2, 1}, 0)).error(),
              std::errc::address_not_available);
    EXPECT_EQ(via().peer_address(*second.record()).error(), std::errc::not_connected);
    EXPECT_EQ(via().shut_down(*second.record(), shut::both).error(), std::errc::not_connected);
}

TEST_P(options, unix_addresses_of_every_form) {
    const auto abstract = *address::unix_path("@upcall-options-" + std::to_string(::getpid()));
    auto listener = bench.listening(abstract);
    EXPECT_EQ(*via().local_address(*listener.record()), abstract);
    auto unnamed = *via().open_socket(address_family::unix_path, socket_type::stream);
    EXPECT_EQ(via().local_address(*unnamed.record())->path(), "");
    EXPECT_EQ(via().local_address(*unnamed.record())->family(), address_family::unix_path);
}

TEST_P(options, random_numbers_do_not_repeat) {
    std::set<std::uint64_t> seen;
    for (int count = 0; count < 1000; ++count) seen.insert(via().random());
    EXPECT_EQ(seen.size(), 1000U);
}

}  // namespace
}  // namespace upcall::test
