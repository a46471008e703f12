// How an operation is written into a submission entry.
#pragma once

#include <cstdint>

#include <upcall/driver/io_operation.hpp>

#include "driver/uring/abi.hpp"

namespace upcall {

/// Which forms of an operation the kernel is to be offered.
struct entry_forms {
    bool multishot_accept = true;
    bool multishot_receive = true;
};

/// Fills a cleared entry with everything but its user data. What the kernel has to find in memory
/// (addresses, message headers) is put where it stays until the completion.
void fill_entry(uring_abi::sqe& entry, io_operation& op, const entry_forms& forms) noexcept;

/// Whether a filled entry asks for more than one value.
bool stays_armed(const uring_abi::sqe& entry) noexcept;

/// Fills a cleared entry that waits until `op` can be done by a plain call, or for what a `poll`
/// asks.
void fill_poll_entry(uring_abi::sqe& entry, const io_operation& op) noexcept;

/// Prepares what may fail before an entry is filled: 0, or a raw error. `release_entry` undoes it.
std::int64_t prepare_entry(io_operation& op) noexcept;
void release_entry(io_operation& op) noexcept;

/// The readiness bits of `op`, a poll, in the event mask that the kernel answered with.
std::int64_t readiness_of(const io_operation& op, std::uint32_t events) noexcept;

}  // namespace upcall
