// A task as an operation, so that combinators treat tasks and requests alike. It runs in a context
// of its own: cancelling the operation cancels that context, and the outcome is the task's.
#pragma once

#include <exception>
#include <expected>
#include <type_traits>
#include <utility>

#include <upcall/task/request.hpp>
#include <upcall/task/task.hpp>

namespace upcall::detail {

/// `Context` is a context that may add something when it is attached, cancelled or detached; it is
/// made from `Context::options`.
template <class T, class Context>
class task_operation_in : public operation_base, private task_owner {
  public:
    struct arguments {
        task<T> what;
        typename Context::options options;
    };
    explicit task_operation_in(arguments&& given) noexcept
        : what_(std::move(given.what)), own_(given.options) {}

    void lower_deadline(time_point deadline) noexcept {
        if (deadline < deadline_) deadline_ = deadline;
    }

    bool launch(context& where) noexcept {
        check_startable(what_.frame(), where);
        begin_unlinked(where);  // its context is what is linked
        cancel = [](operation& op) noexcept {
            auto& self = static_cast<task_operation_in&>(op);
            self.own_.cancel(self.cause);
        };
        ended = [](task_owner& ended_owner) noexcept {
            auto& self = static_cast<task_operation_in&>(ended_owner);
            self.own_.detach();
            self.complete();
        };
        own_.attach(where);
        own_.lower_deadline(deadline_);
        own_.mark_task();
        what_.frame().promise().start_for(own_, *this);
        start_.frame = what_.frame();
        start_.where = &own_;
        start_.run = [](ready_node& node) noexcept {
            auto& start = static_cast<starter&>(node);
            start.where->home().resume(start.frame, *start.where);
        };
        own_.in_class().push(start_);
        return false;
    }

    /// For reports; `name` outlives the task.
    void set_name(const char* name, const std::source_location& where) noexcept {
        own_.set_name(name, where);
    }

    bool failed() const noexcept { return what_.frame().promise().exception() != nullptr; }
    T take() { return what_.frame().promise().take(); }

  private:
    struct starter : ready_node {
        std::coroutine_handle<> frame;
        context* where = nullptr;
    };

    task<T> what_;
    Context own_;
    time_point deadline_ = never;
    starter start_;
};

struct plain_context : context {
    struct options {};
    explicit plain_context(const options&) noexcept {}
};

template <class T>
using task_operation = task_operation_in<T, plain_context>;

/// What combinators take: a request as it is, a task as the request of its operation, and what says
/// itself which request it is.
template <class Op>
request<Op> as_request(request<Op> given) {
    return given;
}
template <class T>
request<task_operation<T>> as_request(task<T> given) {
    return request<task_operation<T>>({std::move(given), {}});
}

template <class Awaitable>
    requires requires(Awaitable given) { std::move(given).as_request(); }
auto as_request(Awaitable given) {
    return std::move(given).as_request();
}

template <class Awaitable>
using operation_of = typename decltype(as_request(std::declval<Awaitable>()))::operation_type;

template <class Awaitable>
concept combinable = requires(Awaitable given) { as_request(std::move(given)); };

/// Whether the operation may end with an exception that a task threw.
template <class Op>
concept may_fail = requires(Op& op) { op.failed(); };

template <class Op>
bool has_failed([[maybe_unused]] Op& op) noexcept {
    if constexpr (may_fail<Op>)
        return op.failed();
    else
        return false;
}

/// `take`, with what it throws as a value.
template <may_fail Op>
auto take_caught(Op& op) {
    using value = decltype(op.take());
    using outcome = std::expected<value, std::exception_ptr>;
    try {
        if constexpr (std::is_void_v<value>) {
            op.take();
            return outcome();
        } else {
            return outcome(std::in_place, op.take());
        }
    } catch (...) {
        return outcome(std::unexpect, std::current_exception());
    }
}

}  // namespace upcall::detail
