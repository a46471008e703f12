// task<T>: a lazily started coroutine that runs on one loop.
//
//     task<int> answer() { co_await sleep(1s); co_return 42; }
//     task<> caller() { int n = co_await answer(); }
//
// Awaiting a task starts it in the awaiting task's context: it inherits loop, cancellation,
// deadline and name, and an exception that leaves it is thrown by the `co_await`. Each task may be
// awaited once. To let tasks run side by side, spawn them in a scope (scope.hpp).
//
// Stack use is constant however many tasks end or start at once: a task that suspends names the
// next to run and returns to the loop, on every compiler and at every optimisation level.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include <upcall/base/recycler.hpp>
#include <upcall/loop/loop.hpp>
#include <upcall/task/detail/awaiting.hpp>

namespace upcall {

template <class T = void>
class task;

namespace detail {

/// What runs when a task without an awaiting coroutine has ended.
struct task_owner {
    void (*ended)(task_owner&) noexcept = nullptr;
};

class promise_base {
  public:
    static void* operator new(std::size_t size) { return recycler_allocate(size); }
    static void operator delete(void* frame, std::size_t size) noexcept {
        recycler_free(frame, size);
    }

    std::suspend_always initial_suspend() const noexcept { return {}; }
    void unhandled_exception() noexcept { exception_ = std::current_exception(); }

    struct final_awaiter {
        bool await_ready() const noexcept { return false; }
        template <class Promise>
        void await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
            promise_base& promise = ended.promise();
            if (promise.continuation_)
                promise.context_->home().resume_next(promise.continuation_);
            else
                promise.owner_->ended(*promise.owner_);
        }
        void await_resume() const noexcept {}
    };
    final_awaiter final_suspend() const noexcept { return {}; }

    /// The context this task's operations are started in.
    context& where() const noexcept { return *context_; }
    void set_where(context& where) noexcept { context_ = &where; }
    /// Whether it was awaited or spawned.
    bool started() const noexcept { return context_ != nullptr; }

    void start_for(context& where, std::coroutine_handle<> continuation) noexcept {
        context_ = &where;
        continuation_ = continuation;
    }
    void start_for(context& where, task_owner& owner) noexcept {
        context_ = &where;
        owner_ = &owner;
    }

    const std::exception_ptr& exception() const noexcept { return exception_; }

  protected:
    void rethrow() const {
        if (exception_) std::rethrow_exception(exception_);
    }

  private:
    context* context_ = nullptr;
    std::coroutine_handle<> continuation_;
    task_owner* owner_ = nullptr;
    std::exception_ptr exception_;
};

template <class T>
class promise final : public promise_base {
  public:
    task<T> get_return_object() noexcept;
    template <class U = T>
        requires std::is_constructible_v<T, U&&>
    void return_value(U&& value) {
        value_.emplace(std::forward<U>(value));
    }
    T take() {
        rethrow();
        return std::move(*value_);
    }

  private:
    std::optional<T> value_;
};

template <>
class promise<void> final : public promise_base {
  public:
    task<void> get_return_object() noexcept;
    void return_void() const noexcept {}
    void take() const { rethrow(); }
};

/// What a task may yield: nothing, or an object. Not a reference, nor an array.
template <class T>
concept task_value = std::is_void_v<T> || (std::is_object_v<T> && !std::is_array_v<T>);

/// Fatal unless a task with this frame may be started from `where`.
template <class T>
void check_startable(std::coroutine_handle<promise<T>> frame, const context& where) noexcept {
    if (!frame || frame.promise().started()) [[unlikely]]
        awaited_wrongly(!frame, where.name());
}

/// Starts a task in the awaiting task's context, and hands over its outcome.
template <class T>
struct task_awaiter {
    std::coroutine_handle<promise<T>> child;

    bool await_ready() const noexcept { return false; }
    template <awaits_in_a_task Promise>
    void await_suspend(std::coroutine_handle<Promise> waiting) const noexcept {
        context& where = waiting.promise().where();
        check_startable(child, where);
        child.promise().start_for(where, waiting);
        where.home().resume_next(child);
    }
    T await_resume() const { return child.promise().take(); }
};

}  // namespace detail

/// What a coroutine of upcall returns: it has not begun, and runs on the loop of whoever awaits or
/// spawns it, once. Owns its frame, and with that what was passed by value; what was passed by
/// reference must live until it has ended. Move-only. Yields T, or throws what the coroutine threw.
/// Making one throws std::bad_alloc.
template <class T>
class [[nodiscard("a task does nothing until it is awaited or spawned")]] task {
  public:
    static_assert(detail::task_value<T>,
                  "a task yields void or an object: instead of a reference return a pointer");

    using promise_type = detail::promise<T>;
    using value_type = T;

    /// Empty: awaiting it is fatal.
    task() = default;
    /// Takes over a frame that has not begun.
    explicit task(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}
    task(task&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
    task& operator=(task&& other) noexcept {
        if (this != &other) {
            if (frame_) frame_.destroy();
            frame_ = std::exchange(other.frame_, {});
        }
        return *this;
    }
    /// Destroys the frame. Fatal, naming the task, if an operation of it is in flight.
    ~task() {
        if (frame_) frame_.destroy();
    }

    /// Whether there is a frame: not of one that was awaited, spawned or moved from.
    explicit operator bool() const noexcept { return static_cast<bool>(frame_); }

    /// Not of one that has a name: it is used up, so write co_await std::move(it).
    detail::write_co_await_std_move operator co_await() & = delete;
    /// Fatal, naming the awaiting task, for one that was moved from or awaited before.
    auto operator co_await() && noexcept { return detail::task_awaiter<T>{frame_}; }

    /// For scopes: gives up the frame, which the caller now owns.
    std::coroutine_handle<promise_type> release() noexcept { return std::exchange(frame_, {}); }

    /// For combinators: the frame, which stays owned by the task.
    std::coroutine_handle<promise_type> frame() const noexcept { return frame_; }

  private:
    std::coroutine_handle<promise_type> frame_;
};

namespace detail {

template <class T>
task<T> promise<T>::get_return_object() noexcept {
    return task<T>(std::coroutine_handle<promise>::from_promise(*this));
}
inline task<void> promise<void>::get_return_object() noexcept {
    return task<void>(std::coroutine_handle<promise>::from_promise(*this));
}

}  // namespace detail
}  // namespace upcall
