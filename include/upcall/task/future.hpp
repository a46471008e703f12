// Requests and tasks with futures.
//
//     future<std::size_t> reading = submit(tasks, data.read_at(buffer, 0), "read");
//     …
//     result<std::size_t> bytes = co_await std::move(reading);  // in a task, or
//     result<std::size_t> bytes = reading.get();                // on a thread without a loop
//
// The operation begins at once, in a scope that owns it and waits for it, and its outcome waits in
// the future. There is no hidden thread: everything runs on the scope's loop. The future itself may
// be moved to another thread and used there, and may outlive scope and loop: a scope ends before
// its loop and after its operations, so that every future becomes ready, with `cancelled` if
// nothing else. What the value is made of may belong to the loop all the same: a stream is for its
// own loop's thread.
//
//     auto size = submit(tasks, file::open("data", open_read))
//                     .then(tasks, [](result<file> data) { … });
#pragma once

#include <functional>
#include <type_traits>
#include <utility>

#include <upcall/task/detail/future_core.hpp>

namespace upcall {

template <class T>
class future;

namespace detail {

/// Waits for a future in a task, of any loop.
class future_wait : public operation_base, private future_waiter {
  public:
    /// What it waits for, while it does.
    const future_core& awaited() const noexcept { return *on_; }

  protected:
    bool launch_on(future_core& on, context& where) noexcept;

  private:
    struct arrival final : ready_node {
        future_wait* of = nullptr;
    };

    future_core* on_ = nullptr;
    std::shared_ptr<mailbox> home_;  // when the operation is on another loop
    arrival arrival_;
};

template <class T>
class future_operation : public future_wait {
  public:
    struct arguments {
        future<T> on;
    };
    explicit future_operation(arguments&& given) noexcept : on_(std::move(given.on)) {}

    bool launch(context& where) noexcept { return launch_on(on_.core(), where); }
    bool failed() const noexcept { return on_.core().failed(); }
    result<T> take() { return on_.take(); }

  private:
    future<T> on_;
};

template <class T, class Next>
using next_value = std::invoke_result_t<Next&, result<T>>;

template <class Yielded>
struct awaited_value {
    using type = Yielded;
};
template <combinable Awaitable>
struct awaited_value<Awaitable> {
    using type = decltype(std::declval<operation_of<Awaitable>&>().take());
};

/// What `then` submits. The frame keeps `next` until what it made has ended.
template <class T, class Next>
task<typename awaited_value<next_value<T, Next>>::type> continued(future<T> before, Next next) {
    auto outcome = co_await std::move(before);
    if constexpr (combinable<next_value<T, Next>>)
        co_return co_await next(std::move(outcome));
    else
        co_return next(std::move(outcome));
}

}  // namespace detail

/// What `submit` returns: the outcome of an operation, now or later. Move-only, and one thread's at
/// a time. What yields result<T> gives a future<T>, and so does what yields a plain T; the outcome
/// is a result<T>. What the operation threw (a task may) is thrown by whoever takes the outcome.
///
/// Dropping one that was not taken leaves the operation to its scope, as dropping a child_task
/// does: it goes on, its value is destroyed on its loop, and an exception counts as a child's of
/// the scope. (Not one that nobody took after the operation had ended: it goes with the future.) To
/// have the operation end, cancel it first.
template <class T>
class [[nodiscard("dropped at once it is but a started operation: use start")]] future {
    static_assert(detail::task_value<T>, "a future yields void or an object");

  public:
    using value_type = T;

    future() = default;
    /// For `submit`.
    explicit future(detail::future_state<T>& core) noexcept : core_(&core) {}
    future(future&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
    future& operator=(future&& other) noexcept {
        if (this != &other) {
            drop();
            core_ = std::exchange(other.core_, nullptr);
        }
        return *this;
    }
    ~future() { drop(); }

    /// Whether there is an outcome to take: not of one that was taken or moved from.
    explicit operator bool() const noexcept { return core_ != nullptr; }

    /// Whether the outcome is there. Any thread.
    bool ready() const noexcept { return core_ && core_->ready(); }

    /// The outcome if it is there: the future is empty then. Any thread.
    std::optional<result<T>> try_get() {
        if (!ready()) return std::nullopt;
        return take();
    }

    /// The outcome, once; the future is empty afterwards. If it is not ready, blocks the thread
    /// until the loop has delivered it. Not a thread that runs a loop, nor the one that the
    /// operation's loop belongs to, be it running or not: there errc::would_deadlock is returned,
    /// what waits on what is told on standard error, and the future is left as it was.
    result<T> get(std::source_location waiting = std::source_location::current()) {
        if (const std::error_code refused = core().block(waiting)) return failure(refused);
        return take();
    }

    /// Asks the operation to end; its outcome decides. Never blocks. Any thread; from another than
    /// the loop's it takes effect there, soon. Nothing happens if it has ended.
    void cancel() noexcept {
        if (core_) core_->ask_cancel();
    }

    /// Has `next(result<T>)` called in `in` when the outcome is there, on that scope's loop and
    /// from there, also if that is another loop than the operation's. Returns the future of what
    /// `next` returns; of what that yields, if it is a request, a task or a future. What the
    /// operation or `next` threw, the new future throws: after an exception `next` is not called.
    /// Cancelling the new future asks the operation to end, or what `next` returned. This one is
    /// empty afterwards. The rest as for `submit`.
    template <class Next>
        requires std::is_invocable_v<Next&, result<T>>
    auto then(scope& in, Next next, const char* name = nullptr,
              std::source_location where = std::source_location::current()) &&;

    /// Waits in a task, of whichever loop, and yields result<T>. Cancelling the wait cancels the
    /// operation, and waits for what that brings, so that nothing is lost.
    auto operator co_await() && { return std::move(*this).as_request().operator co_await(); }
    /// Not of one that has a name: it is used up, so write co_await std::move(it).
    detail::write_co_await_std_move operator co_await() & = delete;

    /// For combinators, and for `start`.
    request<detail::future_operation<T>> as_request() && {
        static_cast<void>(core());
        return request<detail::future_operation<T>>({std::move(*this)});
    }

  private:
    friend class detail::future_operation<T>;

    detail::future_state<T>& core() const noexcept {
        if (!core_) [[unlikely]]
            fatal("an empty future was awaited or asked for its value: that can be done once");
        return *core_;
    }
    result<T> take() {
        struct letting_go {
            detail::future_state<T>& core;
            ~letting_go() { core.let_go(true); }
        } const end{*std::exchange(core_, nullptr)};
        return end.core.take();
    }
    void drop() noexcept {
        if (core_) std::exchange(core_, nullptr)->let_go(false);
    }

    detail::future_state<T>* core_ = nullptr;
};

/// Begins `what` (a request, a task, a future) in `in`, whatever the scope's limit. What it refers
/// to must live until it has ended, whatever becomes of the future. The operation is a child of the
/// scope: stopping or cancelling the scope reaches it, and the scope waits for it.
///
/// On the scope's loop's thread, also while the loop does not run; fatal elsewhere. Allocates one
/// recycled block, with the operation and the outcome in it; throws std::bad_alloc, and then
/// nothing was begun. `name` is for reports, and outlives the future.
template <detail::combinable Awaitable>
auto submit(scope& in, Awaitable what, const char* name = nullptr,
            std::source_location where = std::source_location::current()) {
    using op = detail::operation_of<Awaitable>;
    auto* made = new detail::submitted_operation<op>(
        in, detail::as_request(std::move(what)).release(), {name, where});
    future<detail::future_value_of<op>> outcome(*made);
    made->begin();
    return outcome;
}

template <class T>
template <class Next>
    requires std::is_invocable_v<Next&, result<T>>
auto future<T>::then(scope& in, Next next, const char* name, std::source_location where) && {
    static_cast<void>(core());
    return submit(in, detail::continued(std::move(*this), std::move(next)), name, where);
}

}  // namespace upcall
