// Awaiting what has a callback: another library's asynchronous call, or a thread of one's own.
//
//     task<int> ask(client& server) {
//         auto answer = co_await from_callback<int>([&](completion<int> done) {
//             server.ask("how many?", std::move(done));  // calls done.complete(42), on any thread
//         });
//         co_return answer.value_or(0);
//     }
//
// For an interface of C, which hands a pointer through:
//
//     begin_read(device, buffer,
//                [](void* kept, int bytes) { completion<int>::adopt(kept).complete(bytes); },
//                done.release());
//
// It is a request: `start` makes a callback of it, `submit` a future, `timeout` limits it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <upcall/task/request.hpp>

namespace upcall {

template <class T>
class completion;

namespace detail {

/// An operation that somebody else completes, on any thread. In the awaiting frame: nothing is
/// allocated for it.
class foreign_operation : public operation_base {
  public:
    /// Any thread; the outcome is stored. Afterwards this may be gone.
    void arrive() noexcept;

  protected:
    /// Whether to go on, and call what begins it. False: it was asked to end before.
    bool open(context& where) noexcept;

    std::error_code refused_;

  private:
    struct arrival final : ready_node {
        foreign_operation* of = nullptr;
    };

    std::shared_ptr<mailbox> home_;
    arrival arrival_;
};

[[noreturn]] void completed_twice() noexcept;

template <class T>
class foreign_value : public foreign_operation {
  public:
    std::optional<result<T>> outcome;
};

struct cannot_be_asked {
    void operator()() const noexcept {}
};

template <class T, class Begin, class Cancel>
class from_callback_operation : public foreign_value<T> {
  public:
    struct arguments {
        Begin begin;
        Cancel cancel;
    };
    explicit from_callback_operation(arguments&& given) : given_(std::move(given)) {}

    bool launch(context& where) noexcept {
        if (!this->open(where)) return true;
        this->cancel = [](operation& op) noexcept {
            static_cast<from_callback_operation&>(op).given_.cancel();
        };
        try {
            given_.begin(completion<T>(*this));
        } catch (...) {
            exception_ = std::current_exception();
        }
        return false;
    }
    result<T> take() {
        if (exception_) std::rethrow_exception(exception_);
        if (this->refused_) return failure(this->refused_);
        return std::move(*this->outcome);
    }

  private:
    arguments given_;
    std::exception_ptr exception_;
};

}  // namespace detail

/// The promise to say how an operation ended, once: from `from_callback`. Move-only. May be moved
/// to any thread, and completed and destroyed there, one thread at a time. Destroying it
/// uncompleted ends the operation with errc::abandoned.
template <class T>
class completion {
  public:
    completion() = default;
    /// For `from_callback`.
    explicit completion(detail::foreign_value<T>& of) noexcept : of_(&of) {}
    completion(completion&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
    completion& operator=(completion&& other) noexcept {
        if (this != &other) {
            abandon();
            of_ = std::exchange(other.of_, nullptr);
        }
        return *this;
    }
    ~completion() { abandon(); }

    /// Ends the operation with a value or an error: complete(5), complete(failure(code)),
    /// complete({}) for void. Who waits goes on later, on its own loop. Never blocks, allocates or
    /// fails. Fatal the second time.
    void complete(result<T> outcome) noexcept {
        if (!of_) [[unlikely]]
            detail::completed_twice();
        detail::foreign_value<T>& of = *std::exchange(of_, nullptr);
        of.outcome.emplace(std::move(outcome));
        of.arrive();
    }

    /// Whether it has still to be completed.
    explicit operator bool() const noexcept { return of_ != nullptr; }

    /// For callbacks that get a pointer back: gives the promise out as one, to be taken back by
    /// `adopt` exactly once. Lost on the way, the operation never ends.
    void* release() noexcept { return std::exchange(of_, nullptr); }
    static completion adopt(void* released) noexcept {
        return completion(*static_cast<detail::foreign_value<T>*>(released));
    }

  private:
    void abandon() noexcept {
        if (of_) complete(failure(errc::abandoned));
    }

    detail::foreign_value<T>* of_ = nullptr;
};

/// Calls `begin(completion<T>)` when it is awaited (started, submitted), and ends when that
/// completion was completed or destroyed. Yields result<T>.
///
/// Cancelling it calls `asked_to_end()`, on the loop, at most once: that asks the other library,
/// must not throw, and may run while another thread completes. It only asks, and so does a
/// deadline: the wait ends with what the completion is given, because what was begun may still use
/// what it was given. Without it, it is waited for. If it was cancelled before, `begin` is not
/// called. So a loop that is destroyed waits for what is under way, too.
///
/// With GCC 12, name a `begin` that owns what it captures before the `co_await`: a closure that is
/// written in such an expression is destroyed twice.
///
/// What `begin` throws is thrown by the `co_await`, after the completion is gone. T moves without
/// throwing.
template <class T, class Begin, class Cancel = detail::cannot_be_asked>
    requires std::is_invocable_v<Begin&, completion<T>> && std::is_nothrow_invocable_v<Cancel&>
request<detail::from_callback_operation<T, Begin, Cancel>> from_callback(Begin begin,
                                                                         Cancel asked_to_end = {}) {
    return request<detail::from_callback_operation<T, Begin, Cancel>>(
        {std::move(begin), std::move(asked_to_end)});
}

}  // namespace upcall
