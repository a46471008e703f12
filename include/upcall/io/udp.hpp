// UDP sockets.
//
//     auto socket = udp::socket::bind("0.0.0.0:5353").value();
//     std::array<std::byte, 1500> room;
//     while (auto got = co_await socket.receive(room)) {
//         const auto sent = co_await socket.send_to(byte_view(room).first(got->size), got->peer);
//         if (!sent) …
//     }
//
// See io/message_socket.hpp for what sockets with message boundaries do: a datagram of no bytes is
// a value, and one that is longer than the buffer says how long it was.
//
// A datagram that a host answered with "port unreachable" is reported as connection_refused, once,
// by the next operation of a socket that is connected to that peer. One that is not connected is
// never told (udp(7)).
#pragma once

#include <string_view>

#include <upcall/io/message_socket.hpp>

namespace upcall::udp {

/// How `socket::bind` binds.
struct bind_options {
    /// Others may have bound the same address, as for multicast; all must say so.
    bool reuse_address = false;
    /// Other sockets of this user may bind the same address, and share what comes in.
    bool reuse_port = false;
    /// IPv6 sockets take IPv6 alone, so that an IPv4 one can stand beside them.
    bool only_ipv6 = true;
};

/// A UDP socket. See io/message_socket.hpp.
class socket : public message_socket {
  public:
    socket() = default;
    /// Takes a handle of kind `datagram`, opened on `home`'s driver. Throws std::bad_alloc, and
    /// then leaves it.
    socket(loop& home, handle&& opened) : message_socket(home, std::move(opened)) {}

    /// A socket on the current loop, bound to `where` (as in address::parse; port 0 picks a free
    /// one). Errors: no_loop; invalid_argument for what is not an IP address; those of bind(2).
    /// They do not name the address; value_or_throw does.
    static result<socket> bind(std::string_view where, const bind_options& options = {});
    static result<socket> bind(const address& where, const bind_options& options = {});

    /// A socket on the current loop that is bound to nothing yet; its first message picks a free
    /// port. Errors: no_loop; those of socket(2).
    static result<socket> open(address_family family);

    /// Takes a socket of this process, on the current loop; on error the caller still owns it.
    /// Errors: no_loop; those of the driver.
    static result<socket> adopt(native_handle native);

    /// Talks to `peer` alone from now on: `send` goes there, and only what comes from there is
    /// received. May be repeated with another peer. Yields result<void>. Errors: those of
    /// connect(2).
    request<detail::connect_message_operation> connect(const address& peer) {
        return request<detail::connect_message_operation>({core(), peer});
    }

    /// As `send`, to `peer`. Error on a connected socket: as the system has it, for Linux none.
    request<detail::send_message_operation> send_to(outgoing message, const address& peer) {
        return request<detail::send_message_operation>({core(), message, peer});
    }

    /// Joins a multicast group, or leaves it, on the interface with that number; 0 leaves the
    /// choice to the system. Messages to the group then arrive if the socket is bound to their
    /// port. Errors: those of ip(7), ipv6(7).
    result<void> join(const address& group, std::uint32_t interface_number = 0);
    result<void> leave(const address& group, std::uint32_t interface_number = 0);

    /// Whether it may send to broadcast addresses; else that is permission_denied.
    result<void> set_broadcast(bool on) { return set_option(socket_option::broadcast, on ? 1 : 0); }
};

}  // namespace upcall::udp
