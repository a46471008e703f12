// The system calls of operations that may block however the descriptor is set: for pool threads.
#pragma once

#include <upcall/driver/io_operation.hpp>

namespace upcall {

/// Does `op` and waits for it: file_read, file_write, file_call and work; also read, write and
/// receive on descriptors that cannot be waited for otherwise, which transfer at their position.
/// Returns the value, or a raw error. Any thread; SIGXFSZ should be blocked in it (pwrite(2)).
///
/// Not every file system knows every call: `errc::unsupported` says that this host has no
/// openat2(2), without which `open_beneath` cannot be kept.
std::int64_t run_blocking(io_operation& op) noexcept;

}  // namespace upcall
