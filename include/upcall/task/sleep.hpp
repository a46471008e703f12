// Waiting for a time, and giving way.
#pragma once

#include <upcall/task/request.hpp>

namespace upcall {

namespace detail {

class sleep_operation : public operation_base, private timer_node {
  public:
    struct arguments {
        time_point deadline;
        duration length;
        bool relative;
    };

    explicit sleep_operation(arguments&& given) noexcept : given_(given) {}

    bool launch(context& where) noexcept;
    result<void> take() const noexcept {
        if (why_ != cancel_cause::none) return failure(errc_of(why_));
        return {};
    }

  private:
    arguments given_;
    cancel_cause why_ = cancel_cause::none;
};

class yield_operation : public operation_base {
  public:
    struct arguments {};
    explicit yield_operation(arguments&&) noexcept {}

    bool launch(context& where) noexcept;
    void take() const noexcept {}
};

}  // namespace detail

/// Completes after `length`, never early. Zero and negative lengths complete at once, in the next
/// turn of the loop; lengths past the clock's range never. Cancelling ends it with `cancelled` or
/// `deadline_exceeded`; `stop` does not end it: a task that only sleeps asks
/// `this_task::stop_requested()` when it wakes. Yields result<void>.
inline request<detail::sleep_operation> sleep(duration length) {
    return request<detail::sleep_operation>({.deadline = {}, .length = length, .relative = true});
}

/// As `sleep`, until a moment of the loop's clock.
inline request<detail::sleep_operation> sleep_until(time_point deadline) {
    return request<detail::sleep_operation>(
        {.deadline = deadline, .length = {}, .relative = false});
}

/// Lets everything that is ready now run first. Always suspends; cannot be cancelled.
inline request<detail::yield_operation> yield() { return request<detail::yield_operation>({}); }

}  // namespace upcall
