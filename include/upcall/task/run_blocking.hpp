// Calls that block, on the pool of threads, awaited like any request.
//
//     auto hash = co_await run_blocking([&] { return slow_hash(password); });
//
// For what has no asynchronous form: a library that waits in its own way, long computations, a call
// of the system that upcall does not offer. The loop goes on meanwhile.
//
// With GCC 12, name a function that owns what it captures: it destroys a closure that is written in
// a `co_await` expression twice.
//
//     auto call = [text = std::move(text)] { return slow_hash(text); };
//     auto hash = co_await run_blocking(std::move(call));
#pragma once

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include <upcall/task/request.hpp>

namespace upcall {

namespace detail {

template <class Returned>
struct blocking_value {
    using type = Returned;
};
template <class T>
struct blocking_value<result<T>> {
    using type = T;
};

/// Without the type of the function.
class pool_operation : public io_operation_base {
  public:
    bool launch(context& where) noexcept;

  protected:
    work_arguments work_;
};

template <class Call>
class blocking_operation : public pool_operation {
    using returned = std::invoke_result_t<Call&>;
    using value = typename blocking_value<returned>::type;
    static_assert(std::is_void_v<value> || std::is_object_v<value>,
                  "a blocking call returns void or an object: instead of a reference a pointer");

  public:
    struct arguments {
        Call call;
    };
    explicit blocking_operation(arguments&& given) : call_(std::move(given.call)) {
        work_.argument = this;
        work_.run = [](void* argument) noexcept {
            static_cast<blocking_operation*>(argument)->run_call();
        };
    }

    bool failed() const noexcept
        requires(!std::is_nothrow_invocable_v<Call&>)
    {
        return exception_ != nullptr;
    }
    upcall::result<value> take() {
        if (exception_) std::rethrow_exception(exception_);
        if (this->io_operation::result < 0) return failure(error_of(*this));
        return std::move(*outcome_);
    }

  private:
    /// On a thread of the pool.
    void run_call() noexcept {
        try {
            if constexpr (std::is_void_v<returned>) {
                call_();
                outcome_.emplace();
            } else {
                outcome_.emplace(call_());
            }
        } catch (...) {
            exception_ = std::current_exception();
        }
    }

    Call call_;
    std::optional<upcall::result<value>> outcome_;
    std::exception_ptr exception_;
};

}  // namespace detail

/// Calls `call()` once, on a thread of the loop's pool, and yields result<T> of what it returns, be
/// that T or result<T>. What it throws is thrown by the `co_await`. `call` is kept in the awaiting
/// frame, and destroyed on the loop's thread; what it refers to must live until then and is the
/// pool thread's meanwhile. It uses nothing that belongs to a loop: streams, scopes, channels of
/// tasks; `remote_sender`, `completion` and `future` it may. Nothing is allocated.
///
/// Cancelling it, or a deadline, takes back a call that has not begun, which then never does. One
/// that runs cannot be interrupted: it is waited for, and its value is delivered. Errors: those of
/// `call`; cancellation; queue_full, when too many calls wait for a thread (pool_options); that of
/// starting the first thread. In a simulated kernel `call` runs on the loop's thread.
template <class Call>
    requires std::is_invocable_v<Call&>
request<detail::blocking_operation<Call>> run_blocking(Call call) {
    return request<detail::blocking_operation<Call>>({std::move(call)});
}

}  // namespace upcall
