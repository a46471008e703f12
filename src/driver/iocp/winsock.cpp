#include "driver/iocp/winsock.hpp"

#include <cstring>

#include "driver/iocp/errors.hpp"

namespace upcall {
namespace {

template <class Function>
DWORD load(SOCKET from, GUID which, Function& to) noexcept {
    DWORD bytes = 0;
    const int failed = ::WSAIoctl(from, SIO_GET_EXTENSION_FUNCTION_POINTER, &which, sizeof which,
                                  &to, sizeof to, &bytes, nullptr, nullptr);
    return failed ? static_cast<DWORD>(::WSAGetLastError()) : 0;
}

struct started {
    winsock functions;
    DWORD error = 0;

    started() noexcept {
        WSADATA data;
        error = static_cast<DWORD>(::WSAStartup(MAKEWORD(2, 2), &data));
        if (error) return;
        const SOCKET any = ::WSASocketW(AF_INET, SOCK_STREAM, 0, nullptr, 0, WSA_FLAG_OVERLAPPED);
        if (any == INVALID_SOCKET) {
            error = static_cast<DWORD>(::WSAGetLastError());
            return;
        }
        error = load(any, WSAID_ACCEPTEX, functions.accept);
        if (!error) error = load(any, WSAID_CONNECTEX, functions.connect);
        ::closesocket(any);
    }
};

}  // namespace

result<const winsock*> winsock::get() noexcept {
    static const started once;
    if (once.error) return failure(error_from_errno(errno_of(once.error)));
    return &once.functions;
}

int winsock_family(address_family family) noexcept {
    switch (family) {
        case address_family::ipv4:
            return AF_INET;
        case address_family::ipv6:
            return AF_INET6;
        case address_family::unix_path:
        case address_family::none:
            break;
    }
    return AF_UNSPEC;
}

winsock_address::winsock_address(const address& from) noexcept : size(0) {
    if (from.family() == address_family::ipv4) {
        auto& to = reinterpret_cast<sockaddr_in&>(storage);
        to.sin_family = AF_INET;
        to.sin_port = ::htons(from.port());
        std::memcpy(&to.sin_addr, from.octets().data(), 4);
        size = sizeof to;
    } else if (from.family() == address_family::ipv6) {
        auto& to = reinterpret_cast<sockaddr_in6&>(storage);
        to.sin6_family = AF_INET6;
        to.sin6_port = ::htons(from.port());
        to.sin6_scope_id = from.scope();
        std::memcpy(&to.sin6_addr, from.octets().data(), 16);
        size = sizeof to;
    }
}

winsock_address winsock_address::wildcard(address_family family) noexcept {
    if (family == address_family::ipv6) return winsock_address(address::ipv6({}, 0));
    return winsock_address(address::ipv4({}, 0));
}

address winsock_address::read() const noexcept {
    if (storage.ss_family == AF_INET && size >= static_cast<int>(sizeof(sockaddr_in))) {
        const auto& from = reinterpret_cast<const sockaddr_in&>(storage);
        std::array<std::uint8_t, 4> octets;
        std::memcpy(octets.data(), &from.sin_addr, 4);
        return address::ipv4(octets, ::ntohs(from.sin_port));
    }
    if (storage.ss_family == AF_INET6 && size >= static_cast<int>(sizeof(sockaddr_in6))) {
        const auto& from = reinterpret_cast<const sockaddr_in6&>(storage);
        std::array<std::uint8_t, 16> octets;
        std::memcpy(octets.data(), &from.sin6_addr, 16);
        return address::ipv6(octets, ::ntohs(from.sin6_port), from.sin6_scope_id);
    }
    return {};
}

}  // namespace upcall
