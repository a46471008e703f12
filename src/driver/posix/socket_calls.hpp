// The system call of each operation on streams and sockets, made without waiting.
//
// Drivers that know when a descriptor is ready, or that want to try their luck first, make their
// calls through these. EINTR never shows; SIGPIPE never comes from a socket.
#pragma once

#include <upcall/driver/io_operation.hpp>

namespace upcall {

/// The pool has no free buffer for a `receive`: wait for driver::buffers_refilled. What the kernel
/// itself calls ENOBUFS on receiving arrives as ENOMEM.
inline constexpr std::int64_t no_buffer = -105;

/// Makes the call of `op`, whose target is non-blocking. Returns its value or a negated errno:
/// -EAGAIN, it would block and nothing has happened; for `connect` -EINPROGRESS, it was started,
/// and `finish_connect` tells what came of it once the socket is writable. A connect to a Unix
/// socket whose queue is full gives -EAGAIN, and no readiness will tell when it has room.
///
/// Empty transfers on streams return 0 without a call. Of more than IOV_MAX pieces the first
/// IOV_MAX are done. Accepting passes over connections that were aborted while they waited.
std::int64_t try_call(io_operation& op) noexcept;

/// The outcome of a connect that was in progress, once the socket is writable: 0 or a negated
/// errno. A TCP socket that has connected to itself (a loopback port in the ephemeral range where
/// nobody listens) is refused with -ECONNREFUSED, as if the port had been closed: the record
/// becomes `broken` and the socket is shut down.
std::int64_t finish_connect(io_operation& op) noexcept;

/// Whether waiting for `op` means waiting until its target can be written to, and not read from.
/// Of `poll` it says nothing.
bool waits_to_write(const io_operation& op) noexcept;

}  // namespace upcall
