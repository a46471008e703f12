// The system call of each operation on streams and sockets, made without waiting.
//
// Drivers that know when a descriptor is ready, or that want to try their luck first, make their
// calls through these. EINTR never shows; SIGPIPE never comes from a socket.
#pragma once

#include <chrono>

#include <upcall/driver/io_operation.hpp>

namespace upcall {

/// The pool has no free buffer for a `receive`: wait for driver::buffers_refilled. What the kernel
/// itself calls ENOBUFS on receiving arrives as ENOMEM.
inline constexpr std::int64_t no_buffer = -105;

/// Makes the call of `op`, whose target is non-blocking. Returns its value or a negated errno:
/// -EAGAIN, it would block and nothing has happened; for `connect` -EINPROGRESS, it was started,
/// and `finish_connect` tells what came of it once the socket is writable. A connect to a Unix
/// socket whose queue is full gives -EAGAIN, see `waits_in_silence`.
///
/// Of more than IOV_MAX pieces the first
/// IOV_MAX are done. Accepting passes over connections that were aborted while they waited.
std::int64_t try_call(io_operation& op) noexcept;

/// The outcome of a connect that was in progress, for when the socket has become writable: 0 or a
/// negated errno; -EINPROGRESS when it still is. A TCP socket that has connected to itself (a
/// loopback port in the ephemeral range where nobody listens) is refused with -ECONNREFUSED, as if
/// the port had been closed: the record becomes `broken` and the socket is shut down.
std::int64_t finish_connect(io_operation& op) noexcept;

/// Whether `op`, after -EAGAIN, waits for something that the readiness of its own socket does not
/// tell: room in the queue of another Unix socket, to which it is not connected (unix(7)). It has
/// to be tried again after a while, `silent_retry_pause`.
bool waits_in_silence(const io_operation& op) noexcept;
inline constexpr std::chrono::milliseconds silent_retry_pause{2};

/// True: no call is needed to know the outcome of `op`, and it is in op.result. Empty transfers on
/// streams move nothing, whatever the stream has; `foreign` handles are for `poll` alone; only
/// listeners accept.
bool is_answered_at_once(io_operation& op) noexcept;

/// Whether waiting for `op` means waiting until its target can be written to, and not read from.
/// Of `poll` it says nothing.
bool waits_to_write(const io_operation& op) noexcept;

}  // namespace upcall
