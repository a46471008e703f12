// The library's own outcomes, beside those of the system.
//
// Every operation ends with a value or a std::error_code. What the kernel reports arrives as an
// errno in std::generic_category: compare it with std::errc. On Windows the C runtime has no words
// for those of sockets ("Unknown error"); there they have a category of their own, with words, and
// are equal to their std::errc all the same. What upcall adds stands here, so that a deadline of
// ours, the kernel's ETIMEDOUT, a cancellation and an end of stream are never the same code.
#pragma once

#include <system_error>

namespace upcall {

/// What the library itself has to say of an outcome. Equal to a std::error_code of upcall_category.
enum class errc {
    /// The operation was asked to end, and nothing had happened: no byte moved, nothing opened.
    cancelled = 1,
    /// As `cancelled`, but the one who asked was a deadline.
    deadline_exceeded,
    /// The peer finished its side of the stream; every byte before it was delivered.
    end_of_stream,
    /// The stream ended inside a message: `read_exactly` had some bytes but not all.
    unexpected_end,
    /// The operation was asked to end and the kernel cannot tell how far it had come.
    /// The handle is unusable but for closing.
    interrupted,
    /// The handle was closed, by us, while or before the operation ran.
    closed,
    /// A bounded queue is full; the limit is documented where the queue is.
    queue_full,
    /// An earlier write on the stream was cut short, so this one was never started.
    broken_stream,
    /// The interface in use cannot do this; `upcall doctor` says what can.
    unsupported,
    /// The calling thread runs no loop, and the call needs one.
    no_loop,
    /// The object belongs to another loop than the one it was used on.
    wrong_loop,
    /// Waiting here would block the loop that has to bring about what is waited for.
    would_deadlock,
    /// The loop or scope no longer takes work: it is shutting down.
    shutting_down,
    /// A datagram or control message was longer than the room given for it; the rest is gone.
    message_truncated,
    /// Whoever was to say how it ended, let go of it without doing so.
    abandoned,
    /// An earlier sync of this file failed: what was written since the last one that worked may be
    /// lost, and nothing that is written now will be called durable. Open it anew and look.
    not_durable,
    /// What was to be read is longer than the limit that the caller gave.
    limit_exceeded,
};

/// The category of `errc`; its name is "upcall".
const std::error_category& upcall_category() noexcept;

/// What makes `errc` a std::error_code wherever one is asked for.
inline std::error_code make_error_code(errc code) noexcept {
    return {static_cast<int>(code), upcall_category()};
}

/// Whether `code` means that the operation was asked to end: cancelled or deadline_exceeded.
bool is_cancellation(const std::error_code& code) noexcept;

}  // namespace upcall

template <>
struct std::is_error_code_enum<upcall::errc> : std::true_type {};
