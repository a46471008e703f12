// What Windows is given for an operation, and what the driver remembers of it.
//
// A block begins with the OVERLAPPED that the kernel writes to. It belongs to the driver, not to
// the operation, from the first call until its packet has come back: whatever becomes of the
// operation meanwhile, the kernel never writes to freed memory.
//
// Immediate success is not success yet. FILE_SKIP_COMPLETION_PORT_ON_SUCCESS is not set (layered
// providers that break it are still installed), so the packet always comes, and the packet alone
// completes the operation.
#pragma once

#include <cstddef>
#include <cstdint>

#include <upcall/base/list.hpp>
#include <upcall/base/recycler.hpp>
#include <upcall/driver/io_operation.hpp>

#include "driver/iocp/windows_headers.hpp"

namespace upcall::iocp {

struct on_handle {};  // tags: the lists that a block can be in
struct in_queue {};
struct in_want {};

struct block : OVERLAPPED, list_hook<on_handle>, list_hook<in_queue>, list_hook<in_want>, recycled {
    /// What it waits for.
    enum class place : std::uint8_t {
        queue,   // it waits behind another of its direction
        kernel,  // its packet will come
        want,    // it waits for a buffer
    };

    explicit block(io_operation& operation) noexcept : OVERLAPPED{}, op(&operation) {}

    /// The OVERLAPPED for another round.
    OVERLAPPED* fresh(std::uint64_t at = 0) noexcept {
        static_cast<OVERLAPPED&>(*this) = OVERLAPPED{};
        Offset = static_cast<DWORD>(at);
        OffsetHigh = static_cast<DWORD>(at >> 32);
        return this;
    }

    io_operation* op;
    place where = place::queue;
    /// The end was asked for: no further round is started.
    bool asked = false;
    /// accept: the socket that becomes the connection.
    SOCKET accepted = INVALID_SOCKET;
    /// Vectored files: the slice in the kernel's hands, and the bytes before it.
    std::size_t slice = 0;
    std::size_t moved = 0;
    /// accept: AcceptEx wants 16 bytes more than the longest address, twice.
    alignas(8) std::byte addresses[2 * (sizeof(sockaddr_storage) + 16)];
};

}  // namespace upcall::iocp
