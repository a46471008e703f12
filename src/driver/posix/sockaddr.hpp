// Between our address and the kernel's structures.
#pragma once

#include <sys/socket.h>

#include <upcall/driver/address.hpp>

namespace upcall {

/// An address in the kernel's form, with its length.
struct kernel_address {
    sockaddr_storage storage{};
    socklen_t size = sizeof(sockaddr_storage);

    /// Room to receive one.
    kernel_address() = default;
    /// Family none gives size 0.
    explicit kernel_address(const address& from) noexcept;

    sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
};

/// Writes the kernel's form of `from` and returns its length; 0 for family none.
socklen_t to_kernel(const address& from, sockaddr_storage& to) noexcept;

/// What the kernel wrote. Families that upcall does not know become `none`.
address from_kernel(const sockaddr_storage& from, socklen_t size) noexcept;

/// AF_INET, …; AF_UNSPEC for none.
int kernel_family(address_family family) noexcept;

}  // namespace upcall
