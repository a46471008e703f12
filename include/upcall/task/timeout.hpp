// A limit on the time that an operation may take.
//
//     auto bytes = co_await timeout(2s, client.read(buffer));
//     if (!bytes && bytes.error() == errc::deadline_exceeded) …
//
// A deadline is a cancellation with another name: it asks, and the operation's own answer decides.
#pragma once

#include <upcall/task/request.hpp>

namespace upcall {

namespace detail {

/// Wraps an operation; needs no context, frame or allocation, and no timer if it is done at once.
template <class Op>
class timeout_operation : public operation_base, private timer_node {
  public:
    struct arguments {
        typename Op::arguments inner;
        duration length;
    };
    explicit timeout_operation(arguments&& given)
        : inner_(std::move(given.inner)), length_(given.length) {}

    bool launch(context& where) noexcept {
        inner_.outer = this;
        inner_.run = inner_ran;
        if (inner_.launch(where)) return true;
        begin_unlinked(where);  // the inner operation is linked
        cancel = [](operation& op) noexcept {
            auto& self = static_cast<timeout_operation&>(op);
            self.inner_.request_cancel(self.cause);
        };
        fire = [](timer_node& timer) noexcept {
            auto& self = static_cast<timeout_operation&>(timer);
            self.inner_.request_cancel(cancel_cause::deadline);
        };
        where.home().timers().add(*this, saturating_add(where.home().now(), length_));
        return false;
    }
    decltype(auto) take() { return inner_.take(); }

  private:
    struct inner_operation : Op {
        using Op::Op;
        timeout_operation* outer = nullptr;
    };

    static void inner_ran(ready_node& node) noexcept {
        auto& inner = static_cast<inner_operation&>(node);
        timeout_operation& self = *inner.outer;
        if (!inner.settle()) return;
        inner.retire();
        if (self.armed()) self.owner->home().timers().remove(self);
        self.state = op_state::ready;
        self.run(self);
    }

    inner_operation inner_;
    duration length_;
};

}  // namespace detail

/// The request, asked to end with errc::deadline_exceeded when it has not completed after `length`.
template <class Op>
request<detail::timeout_operation<Op>> timeout(duration length, request<Op> what) {
    return request<detail::timeout_operation<Op>>({std::move(what).release(), length});
}

}  // namespace upcall
