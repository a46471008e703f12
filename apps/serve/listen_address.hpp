// Where to listen, as it is written on the command line.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace upcall_serve {

enum class address_family : std::uint8_t { ipv4, ipv6, unix_path };

struct listen_address {
    address_family family = address_family::ipv4;
    std::string host = "127.0.0.1";  // a numeric address, or the path of a Unix socket
    std::uint16_t port = 8080;       // 0 lets the kernel choose

    bool operator==(const listen_address&) const = default;
};

// "127.0.0.1:8080", "[::1]:8080", "unix:/run/site.sock"; also "8080" and "localhost:8080" for
// this host only, "*:8080" for all of its IPv4 addresses, and an address alone, with port 8080.
// Names are not looked up. The error says what is wrong and what would be right.
std::expected<listen_address, std::string> parse_listen_address(std::string_view text);

// How a person or a browser would write it: "http://127.0.0.1:8080/" or "unix:/run/site.sock".
std::string to_string(const listen_address& address);

}  // namespace upcall_serve
