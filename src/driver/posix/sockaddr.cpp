#include "driver/posix/sockaddr.hpp"

#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace upcall {
namespace {

constexpr std::size_t path_offset = offsetof(sockaddr_un, sun_path);

socklen_t unix_to_kernel(const address& from, sockaddr_storage& to) noexcept {
    sockaddr_un made{};
    made.sun_family = AF_UNIX;
    const auto path = from.path();
    const std::size_t size = std::min(path.size(), sizeof(made.sun_path));
    std::copy_n(path.begin(), size, made.sun_path);
    const bool abstract = path.starts_with('@');
    if (abstract) made.sun_path[0] = '\0';
    std::memcpy(&to, &made, sizeof made);
    // A path counts with its terminator, an abstract name without (unix(7)).
    const std::size_t terminator = abstract || path.empty() ? 0 : 1;
    return static_cast<socklen_t>(std::min(path_offset + size + terminator, sizeof made));
}

address unix_from_kernel(const sockaddr_un& from, std::size_t size) noexcept {
    std::array<char, sizeof(from.sun_path)> path{};
    std::size_t length = size > path_offset ? std::min(size - path_offset, path.size()) : 0;
    std::copy_n(from.sun_path, length, path.begin());
    if (length > 0 && path[0] == '\0')
        path[0] = '@';
    else
        length = std::min(strnlen(path.data(), length), address::unix_path_max);
    // Fails for a socket without a name alone: the length fits and a path holds no zero byte.
    return address::unix_path({path.data(), length}).value_or(address::unnamed_unix());
}

}  // namespace

kernel_address::kernel_address(const address& from) noexcept : size(to_kernel(from, storage)) {}

socklen_t to_kernel(const address& from, sockaddr_storage& to) noexcept {
    switch (from.family()) {
        case address_family::none:
            return 0;
        case address_family::ipv4: {
            sockaddr_in made{};
            made.sin_family = AF_INET;
            made.sin_port = htons(from.port());
            std::memcpy(&made.sin_addr, from.octets().data(), sizeof made.sin_addr);
            std::memcpy(&to, &made, sizeof made);
            return sizeof made;
        }
        case address_family::ipv6: {
            sockaddr_in6 made{};
            made.sin6_family = AF_INET6;
            made.sin6_port = htons(from.port());
            made.sin6_scope_id = from.scope();
            std::memcpy(&made.sin6_addr, from.octets().data(), sizeof made.sin6_addr);
            std::memcpy(&to, &made, sizeof made);
            return sizeof made;
        }
        case address_family::unix_path:
            return unix_to_kernel(from, to);
    }
    return 0;
}

address from_kernel(const sockaddr_storage& from, socklen_t size) noexcept {
    if (size < sizeof from.ss_family) return {};
    switch (from.ss_family) {
        case AF_INET: {
            sockaddr_in read{};
            std::memcpy(&read, &from, sizeof read);
            std::array<std::uint8_t, 4> octets{};
            std::memcpy(octets.data(), &read.sin_addr, octets.size());
            return address::ipv4(octets, ntohs(read.sin_port));
        }
        case AF_INET6: {
            sockaddr_in6 read{};
            std::memcpy(&read, &from, sizeof read);
            std::array<std::uint8_t, 16> octets{};
            std::memcpy(octets.data(), &read.sin6_addr, octets.size());
            return address::ipv6(octets, ntohs(read.sin6_port), read.sin6_scope_id);
        }
        case AF_UNIX: {
            sockaddr_un read{};
            std::memcpy(&read, &from, sizeof read);
            return unix_from_kernel(read, size);
        }
        default:
            return {};
    }
}

int kernel_family(address_family family) noexcept {
    switch (family) {
        case address_family::ipv4:
            return AF_INET;
        case address_family::ipv6:
            return AF_INET6;
        case address_family::unix_path:
            return AF_UNIX;
        case address_family::none:
            break;
    }
    return AF_UNSPEC;
}

}  // namespace upcall
