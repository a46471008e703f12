// Where a socket is: an IP address and port, or a Unix path. A value without pointers; the
// kernel's own structures stay inside the drivers.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <upcall/base/result.hpp>

namespace upcall {

enum class address_family : std::uint8_t { none, ipv4, ipv6, unix_path };

/// A value: copied freely, used on any thread. Two are equal when they name the same place.
class address {
  public:
    /// Longest Unix path that Linux takes, without its terminator (unix(7)).
    static constexpr std::size_t unix_path_max = 107;

    /// No address: family none.
    address() = default;

    /// Reads "127.0.0.1:80", "[::1]:80", "[fe80::1%2]:80" (numeric scope), "unix:/path" or
    /// "unix:@abstract". Names are not resolved. Errors: invalid_argument; filename_too_long for a
    /// Unix path past `unix_path_max`.
    static result<address> parse(std::string_view text);

    /// Octets as in dotted notation, left to right.
    static address ipv4(std::array<std::uint8_t, 4> octets, std::uint16_t port) noexcept;
    static address ipv6(const std::array<std::uint8_t, 16>& octets, std::uint16_t port,
                        std::uint32_t scope = 0) noexcept;
    static address loopback(std::uint16_t port) noexcept { return ipv4({127, 0, 0, 1}, port); }
    /// A leading '@' names the abstract space. Errors: filename_too_long; invalid_argument for an
    /// empty path and for "@" alone, which name nothing.
    static result<address> unix_path(std::string_view path);
    /// What the kernel says of a Unix socket that has no name. Nothing can be sent to it.
    static address unnamed_unix() noexcept;

    address_family family() const noexcept { return family_; }
    /// 0 for a Unix path.
    std::uint16_t port() const noexcept { return port_; }
    void set_port(std::uint16_t port) noexcept { port_ = port; }
    /// Of an IPv6 address: the number of the interface that a link-local one belongs to; else 0.
    std::uint32_t scope() const noexcept { return scope_; }
    /// The first 4 or all 16 octets are the IP address.
    const std::array<std::uint8_t, 16>& octets() const noexcept { return octets_; }
    /// The Unix path; '@' stands for the abstract space. Empty for an unnamed socket.
    std::string_view path() const noexcept { return {path_.data(), path_size_}; }

    /// In the form that `parse` reads.
    std::string to_string() const;

    friend bool operator==(const address& left, const address& right) noexcept;

  private:
    address_family family_ = address_family::none;
    std::uint8_t path_size_ = 0;
    std::uint16_t port_ = 0;
    std::uint32_t scope_ = 0;
    std::array<std::uint8_t, 16> octets_{};
    std::array<char, unix_path_max + 1> path_{};
};

}  // namespace upcall
