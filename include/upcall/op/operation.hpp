// An operation: a started request with exactly one completion.
//
// It is pinned in the frame of whoever awaits it, linked into its context while it is in flight,
// and pushed onto its loop's ready queue when its outcome is known. All of this happens on the
// loop's thread: cancellation from elsewhere is posted to it first, so one operation never sees
// two threads.
//
//     idle ──begin──▶ in_flight ──complete──▶ ready ──(loop runs it)──▶ idle
//
// `request_cancel` acts on in_flight alone: before there is nothing to cancel, and once ready the
// outcome stands. That table is why cancellation can neither double nor lose an outcome.
#pragma once

#include <cstdint>

#include <upcall/base/error.hpp>
#include <upcall/base/list.hpp>
#include <upcall/op/ready_queue.hpp>

namespace upcall {

class context;

/// See the picture above.
enum class op_state : std::uint8_t {
    idle,       // not started, or its completion has been delivered
    in_flight,  // whoever works on it owns its buffer
    ready,      // the outcome is known and waits for the loop to run it
};

/// Who asked an operation to end; decides between errc::cancelled and errc::deadline_exceeded.
enum class cancel_cause : std::uint8_t { none, cancelled, deadline };

/// The error that tells of it; `cause` is not `none`.
constexpr errc errc_of(cancel_cause cause) noexcept {
    return cause == cancel_cause::deadline ? errc::deadline_exceeded : errc::cancelled;
}

/// What an operation waits for, as far as a report needs to know.
enum class waits_for : std::uint8_t {
    outside,  // the kernel, a timer, another loop
    signal,   // of the process
    mutex,    // these by other tasks of the same loop:
    semaphore,
    event,
    channel,
    room,    // in a scope with a limit
    child,   // to end
    scope,   // to have no children left
    future,  // whose operation is this loop's
};

/// A base of everything that is started and completes. Pinned, and owned by who starts it, until it
/// is idle again. For its loop's thread.
struct operation : ready_node, list_hook<operation> {
    /// The context it was started in; valid while it is not idle.
    context* owner = nullptr;
    /// Asks whoever works on the operation to end it. Called at most once per start, in_flight
    /// only. The operation completes later, or at once by `complete`; never by running its
    /// completion.
    void (*cancel)(operation&) noexcept = nullptr;
    op_state state = op_state::idle;
    /// Why it was asked to end; `none` until then.
    cancel_cause cause = cancel_cause::none;
    /// Whether a `stop` of the context ends it too: accepting, and reads that wait for new work.
    bool ends_on_stop = false;
    /// For reports.
    waits_for awaits = waits_for::outside;

    operation() = default;
    /// Fatal, naming the task, when the operation is not idle: its buffer still belongs to a
    /// kernel.
    ~operation();

    /// Links the operation into `context` and marks it in flight; `run` and `cancel` are set.
    void begin(context& context) noexcept;
    /// As `begin`, for an operation that serves another one: that one is linked and cancels it.
    void begin_unlinked(context& context) noexcept;

    /// Marks an operation in flight as ready and queues it. The outcome is stored by the caller.
    void complete() noexcept;

    /// Takes it back to idle, out of its context. The first thing its `run` does.
    void retire() noexcept {
        if (linked()) unlink();
        state = op_state::idle;
    }

    /// After it was started again by its own completion: asks for the end if that was asked for
    /// while the outcome of the step before was waiting to be run.
    void renew_cancel() noexcept;

    /// Asks for the end. Idempotent; the first cause is the one that is reported.
    void request_cancel(cancel_cause why) noexcept {
        if (state != op_state::in_flight || cause != cancel_cause::none) return;
        cause = why;
        cancel(*this);
    }
};

}  // namespace upcall
