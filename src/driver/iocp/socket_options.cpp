// The options of a socket: our names to Winsock's levels and numbers.
#include <algorithm>
#include <cerrno>
#include <limits>

#include "driver/iocp/errors.hpp"
#include "driver/iocp/iocp_driver.hpp"

namespace upcall::iocp {
namespace {

// What mingw-w64's headers lack of ws2ipdef.h; Windows 10 knows them since version 1709.
constexpr int tcp_keep_idle = 3;
constexpr int tcp_keep_count = 16;
constexpr int tcp_keep_interval = 17;

struct native_option {
    int level;
    int name;
};

native_option native_option_of(address_family family, socket_option which) noexcept {
    switch (which) {
        case socket_option::keep_alive:
            return {SOL_SOCKET, SO_KEEPALIVE};
        case socket_option::keep_alive_idle_seconds:
            return {IPPROTO_TCP, tcp_keep_idle};
        case socket_option::keep_alive_interval_seconds:
            return {IPPROTO_TCP, tcp_keep_interval};
        case socket_option::keep_alive_probes:
            return {IPPROTO_TCP, tcp_keep_count};
        case socket_option::no_delay:
            return {IPPROTO_TCP, TCP_NODELAY};
        case socket_option::linger_seconds:
            return {SOL_SOCKET, SO_LINGER};
        case socket_option::send_buffer:
            return {SOL_SOCKET, SO_SNDBUF};
        case socket_option::receive_buffer:
            return {SOL_SOCKET, SO_RCVBUF};
        case socket_option::only_ipv6:
            return {IPPROTO_IPV6, IPV6_V6ONLY};
        case socket_option::broadcast:
            return {SOL_SOCKET, SO_BROADCAST};
        case socket_option::time_to_live:
            if (family == address_family::ipv6) return {IPPROTO_IPV6, IPV6_UNICAST_HOPS};
            return {IPPROTO_IP, IP_TTL};
        case socket_option::pending_error:
            return {SOL_SOCKET, SO_ERROR};
        // Of datagrams, which this driver does not do, or answered before anybody asks Winsock.
        case socket_option::multicast_hops:
        case socket_option::multicast_loop:
        case socket_option::multicast_interface:
        case socket_option::reuse_address:
        case socket_option::reuse_port:
            break;
    }
    return {-1, -1};
}

bool is_unsupported(socket_option which) noexcept {
    return native_option_of(address_family::ipv4, which).level == -1;
}

std::unexpected<std::error_code> last_socket_error() noexcept {
    return failure(error_from_errno(errno_of(static_cast<DWORD>(::WSAGetLastError()))));
}

}  // namespace

result<void> iocp_driver::set_option(handle_record& target, socket_option which,
                                     std::int64_t value) noexcept {
    const auto& record = static_cast<iocp_handle&>(target);
    // What it asks for elsewhere is how Windows behaves anyway; the option of that name would let
    // others take the port away (SO_REUSEADDR).
    if (which == socket_option::reuse_address) return {};
    if (is_unsupported(which)) return failure(errc::unsupported);
    if (which == socket_option::pending_error) return failure(error_from_errno(ENOPROTOOPT));
    const auto [level, name] = native_option_of(record.family, which);
    if (which == socket_option::linger_seconds) {
        if (value > 0) return failure(errc::unsupported);
        const linger how{static_cast<u_short>(value == 0), 0};
        if (::setsockopt(record.socket(), level, name, reinterpret_cast<const char*>(&how),
                         sizeof how))
            return last_socket_error();
        return {};
    }
    const int number = static_cast<int>(std::clamp<std::int64_t>(
        value, std::numeric_limits<int>::min(), std::numeric_limits<int>::max()));
    if (::setsockopt(record.socket(), level, name, reinterpret_cast<const char*>(&number),
                     sizeof number))
        return last_socket_error();
    return {};
}

result<std::int64_t> iocp_driver::get_option(handle_record& target, socket_option which) noexcept {
    const auto& record = static_cast<iocp_handle&>(target);
    if (which == socket_option::reuse_address) return 1;
    if (is_unsupported(which)) return failure(errc::unsupported);
    const auto [level, name] = native_option_of(record.family, which);
    if (which == socket_option::linger_seconds) {
        linger how{};
        int size = sizeof how;
        if (::getsockopt(record.socket(), level, name, reinterpret_cast<char*>(&how), &size))
            return last_socket_error();
        return how.l_onoff ? how.l_linger : -1;
    }
    int number = 0;
    int size = sizeof number;
    if (::getsockopt(record.socket(), level, name, reinterpret_cast<char*>(&number), &size))
        return last_socket_error();
    if (which == socket_option::pending_error) return errno_of(static_cast<DWORD>(number));
    return number;
}

}  // namespace upcall::iocp
