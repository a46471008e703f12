// Where to listen, as people write it on a command line.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include <upcall/driver/address.hpp>

namespace upcall_serve {

inline constexpr std::uint16_t default_port = 8080;

// What upcall::address reads: "127.0.0.1:8080", "[::1]:8080", "unix:/run/site.sock". Also "8080"
// and "localhost:8080" for this host only, "*:8080" for all of its IPv4 addresses, and an address
// alone, with the default port. The error says what is wrong and what would be right.
std::expected<upcall::address, std::string> parse_listen_address(std::string_view text);

// What to type into a browser: "http://127.0.0.1:8080/"; for a Unix socket "unix:/run/site.sock".
std::string url_of(const upcall::address& address);

}  // namespace upcall_serve
