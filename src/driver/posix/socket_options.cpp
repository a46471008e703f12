// The options of a socket: our names to the kernel's levels and numbers.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "driver/posix/posix_driver.hpp"

namespace upcall {
namespace {

struct kernel_option {
    int level;
    int name;
};

std::unexpected<std::error_code> last_error() noexcept {
    return failure({errno, std::generic_category()});
}

bool is_ipv6(int fd) noexcept {
    int domain = 0;
    socklen_t size = sizeof domain;
    return ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_INET6;
}

kernel_option kernel_option_of(int fd, socket_option which) noexcept {
    switch (which) {
        case socket_option::reuse_address:
            return {SOL_SOCKET, SO_REUSEADDR};
        case socket_option::reuse_port:
            return {SOL_SOCKET, SO_REUSEPORT};
        case socket_option::keep_alive:
            return {SOL_SOCKET, SO_KEEPALIVE};
        case socket_option::keep_alive_idle_seconds:
            return {IPPROTO_TCP, TCP_KEEPIDLE};
        case socket_option::keep_alive_interval_seconds:
            return {IPPROTO_TCP, TCP_KEEPINTVL};
        case socket_option::keep_alive_probes:
            return {IPPROTO_TCP, TCP_KEEPCNT};
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
            if (is_ipv6(fd)) return {IPPROTO_IPV6, IPV6_UNICAST_HOPS};
            return {IPPROTO_IP, IP_TTL};
        case socket_option::multicast_hops:
            if (is_ipv6(fd)) return {IPPROTO_IPV6, IPV6_MULTICAST_HOPS};
            return {IPPROTO_IP, IP_MULTICAST_TTL};
        case socket_option::multicast_loop:
            if (is_ipv6(fd)) return {IPPROTO_IPV6, IPV6_MULTICAST_LOOP};
            return {IPPROTO_IP, IP_MULTICAST_LOOP};
        case socket_option::multicast_interface:
            if (is_ipv6(fd)) return {IPPROTO_IPV6, IPV6_MULTICAST_IF};
            return {IPPROTO_IP, IP_MULTICAST_IF};
        case socket_option::pending_error:
            return {SOL_SOCKET, SO_ERROR};
    }
    return {-1, -1};
}

}  // namespace

result<void> posix_driver::set_option(handle_record& target, socket_option which,
                                      std::int64_t value) noexcept {
    const int fd = record_of(target).fd();
    if (which == socket_option::pending_error || value < INT32_MIN || value > INT32_MAX)
        return failure(std::make_error_code(std::errc::invalid_argument));
    const auto [level, name] = kernel_option_of(fd, which);
    const int number = static_cast<int>(value);
    if (which == socket_option::linger_seconds) {
        // A positive time makes close(2) wait on the loop's thread, in non-blocking mode too.
        if (value > 0) return failure(errc::unsupported);
        const linger setting{.l_onoff = value == 0, .l_linger = 0};
        if (::setsockopt(fd, level, name, &setting, sizeof setting) != 0) return last_error();
        return {};
    }
    if (which == socket_option::multicast_interface && level == IPPROTO_IP) {
        ip_mreqn setting{};
        setting.imr_ifindex = number;
        if (::setsockopt(fd, level, name, &setting, sizeof setting) != 0) return last_error();
        return {};
    }
    if (::setsockopt(fd, level, name, &number, sizeof number) != 0) return last_error();
    return {};
}

result<std::int64_t> posix_driver::get_option(handle_record& target, socket_option which) noexcept {
    const int fd = record_of(target).fd();
    const auto [level, name] = kernel_option_of(fd, which);
    if (which == socket_option::linger_seconds) {
        linger setting{};
        socklen_t size = sizeof setting;
        if (::getsockopt(fd, level, name, &setting, &size) != 0) return last_error();
        return setting.l_onoff ? setting.l_linger : -1;
    }
    int number = 0;
    socklen_t size = sizeof number;
    if (::getsockopt(fd, level, name, &number, &size) != 0) return last_error();
    return number;
}

result<void> posix_driver::set_membership(handle_record& target, const address& group,
                                          std::uint32_t interface_number, bool member) noexcept {
    const int fd = record_of(target).fd();
    if (group.family() == address_family::ipv6) {
        ipv6_mreq asked{};
        std::memcpy(&asked.ipv6mr_multiaddr, group.octets().data(), sizeof asked.ipv6mr_multiaddr);
        asked.ipv6mr_interface = interface_number != 0 ? interface_number : group.scope();
        const int name = member ? IPV6_ADD_MEMBERSHIP : IPV6_DROP_MEMBERSHIP;
        if (::setsockopt(fd, IPPROTO_IPV6, name, &asked, sizeof asked) != 0) return last_error();
        return {};
    }
    if (group.family() != address_family::ipv4)
        return failure(std::make_error_code(std::errc::invalid_argument));
    ip_mreqn asked{};
    std::memcpy(&asked.imr_multiaddr, group.octets().data(), sizeof asked.imr_multiaddr);
    asked.imr_ifindex = static_cast<int>(interface_number);
    const int name = member ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP;
    if (::setsockopt(fd, IPPROTO_IP, name, &asked, sizeof asked) != 0) return last_error();
    return {};
}

result<peer_identity> posix_driver::identify_peer(handle_record& target) noexcept {
    ucred found{};
    socklen_t size = sizeof found;
    if (::getsockopt(record_of(target).fd(), SOL_SOCKET, SO_PEERCRED, &found, &size) != 0)
        return last_error();
    // The peer of any other socket is nobody (socket(7)).
    if (found.uid == static_cast<uid_t>(-1))
        return failure(std::make_error_code(std::errc::operation_not_supported));
    return peer_identity{.process = found.pid, .user = found.uid, .group = found.gid};
}

}  // namespace upcall
