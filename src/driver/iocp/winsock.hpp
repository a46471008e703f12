// Winsock as the driver needs it: started once, with the extension functions that only a socket can
// be asked for, and addresses in its form.
#pragma once

#include <upcall/driver/address.hpp>

#include "driver/iocp/windows_headers.hpp"

namespace upcall {

struct winsock {
    LPFN_ACCEPTEX accept = nullptr;
    LPFN_CONNECTEX connect = nullptr;

    /// Starts Winsock for the process at the first call; any thread. Error: what WSAStartup or
    /// WSAIoctl said, and then nothing is usable.
    static result<const winsock*> get() noexcept;
};

/// An address in the form of Winsock, with its length.
struct winsock_address {
    sockaddr_storage storage{};
    int size = sizeof(sockaddr_storage);

    /// Room to receive one.
    winsock_address() = default;
    /// Families without IP addresses give size 0.
    explicit winsock_address(const address& from) noexcept;
    /// The address of every interface, any port.
    static winsock_address wildcard(address_family family) noexcept;

    sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
    address read() const noexcept;
};

/// AF_INET or AF_INET6; AF_UNSPEC for families that this driver does not take.
int winsock_family(address_family family) noexcept;

}  // namespace upcall
