// A limit on the time that an operation or a task may take.
//
//     auto bytes = co_await timeout(2s, client.read(buffer));
//     if (!bytes && bytes.error() == errc::deadline_exceeded) …
//
// A deadline is a cancellation with another name: it asks, and the operation's own answer decides.
// Bytes that were read when the time was up are delivered, and where the kernel cannot be
// interrupted the wait goes on until it lets go of the buffer. So a timeout may be overrun by what
// has no asynchronous form: a transfer of a file that the disk is busy with, and a call that a
// thread of the pool is in (opening, syncing, renaming, listing). Those still in a queue end in
// time.
#pragma once

#include <upcall/task/detail/task_operation.hpp>

namespace upcall {

namespace detail {

/// Wraps an operation; needs no context, frame or allocation, and no timer if it is done at once.
template <class Op>
class timeout_operation : public operation_base, private timer_node {
  public:
    struct arguments {
        typename Op::arguments inner;
        duration length;
        time_point deadline;
        bool relative;
    };
    explicit timeout_operation(arguments&& given) noexcept(
        std::is_nothrow_constructible_v<Op, typename Op::arguments&&>)
        : inner_(std::move(given.inner)),
          length_(given.length),
          limit_(given.deadline),
          relative_(given.relative) {}

    void lower_deadline(time_point limit) noexcept {
        if constexpr (passes_deadlines) inner_.lower_deadline(limit);
    }

    bool launch(context& where) noexcept {
        if constexpr (passes_deadlines) inner_.lower_deadline(fix_deadline(where));
        inner_.outer = this;
        inner_.run = inner_ran;
        if (inner_.launch(where)) return true;
        begin_unlinked(where);  // the inner operation is linked
        cancel = [](operation& op) noexcept {
            auto& self = static_cast<timeout_operation&>(op);
            self.inner_.request_cancel(self.cause);
        };
        fire = [](timer_node& timer) noexcept {
            static_cast<timeout_operation&>(timer).request_cancel(cancel_cause::deadline);
        };
        where.home().timers().add(*this, fix_deadline(where));
        return false;
    }

    bool failed() const noexcept
        requires may_fail<Op>
    {
        return inner_.failed();
    }
    decltype(auto) take() { return inner_.take(); }

  private:
    struct inner_operation : Op {
        using Op::Op;
        timeout_operation* outer = nullptr;
    };
    static constexpr bool passes_deadlines =
        requires(inner_operation& inner) { inner.lower_deadline(time_point{}); };

    time_point fix_deadline(context& where) noexcept {
        if (relative_) limit_ = saturating_add(where.home().read_clock(), length_);
        relative_ = false;
        return limit_;
    }

    static void inner_ran(ready_node& node) noexcept {
        auto& inner = static_cast<inner_operation&>(node);
        timeout_operation& self = *inner.outer;
        if (!inner.settle()) {
            inner.renew_cancel();
            if (self.cause != cancel_cause::none) inner.request_cancel(self.cause);
            return;
        }
        inner.retire();
        if (self.armed()) self.owner->home().timers().remove(self);
        self.state = op_state::ready;
        self.run(self);
    }

    inner_operation inner_;
    duration length_;
    time_point limit_;
    bool relative_;
};

template <class Awaitable>
auto with_deadline(Awaitable what, duration length, time_point deadline, bool relative) {
    using operation_type = timeout_operation<operation_of<Awaitable>>;
    return request<operation_type>(
        {as_request(std::move(what)).release(), length, deadline, relative});
}

}  // namespace detail

/// `what` (a request or a task), asked to end with `errc::deadline_exceeded` when `length` has
/// passed since the `co_await`. Yields what `what` yields; an operation that is done at once is
/// never late, whatever the length. The deadline holds for everything below: in a task,
/// `this_task::deadline()` tells it, and it ends operations that the task starts later, too. What a
/// task makes of that is its own affair: it returns or throws as always. Of nested timeouts the
/// first to pass is the one that counts, once.
template <detail::combinable Awaitable>
auto timeout(duration length, Awaitable what) {
    return detail::with_deadline(std::move(what), length, never, true);
}

/// As `timeout`, until a moment of the loop's clock.
template <detail::combinable Awaitable>
auto deadline_at(time_point deadline, Awaitable what) {
    return detail::with_deadline(std::move(what), duration{}, deadline, false);
}

}  // namespace upcall
