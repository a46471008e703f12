// Clean-up that goes on although its task was cancelled.
//
//     co_await shield(5s, say_goodbye(connection));
#pragma once

#include <upcall/task/detail/task_operation.hpp>

namespace upcall {

namespace detail {

/// Passes a cancellation on when the grace is over.
class shield_context : public context, private timer_node {
  public:
    struct options {
        duration grace;
    };
    explicit shield_context(const options& chosen) noexcept : grace_(chosen.grace) {
        fire = [](timer_node& timer) noexcept {
            auto& self = static_cast<shield_context&>(timer);
            self.context::cancel(self.why_);
        };
    }

    void attach(context& parent) noexcept;
    void lower_deadline(time_point deadline) noexcept {
        context::lower_deadline(saturating_add(deadline, grace_));
    }
    void cancel(cancel_cause why) noexcept;
    void detach() noexcept;

  private:
    duration grace_;
    cancel_cause why_ = cancel_cause::none;
};

}  // namespace detail

/// Runs `what` so that a cancellation from outside, or a deadline, reaches it `grace` later:
/// counted from the cancellation, or from the `co_await` when that comes after it. Yields what
/// `what` yields. `stop` is not held up: it ends idle waits in clean-up too. A grace without end is
/// written `duration::max()`; then nothing bounds the clean-up but itself.
template <class T>
auto shield(duration grace, task<T> what) {
    using operation_type = detail::task_operation_in<T, detail::shield_context>;
    return request<operation_type>({std::move(what), {grace}});
}

}  // namespace upcall
