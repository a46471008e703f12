// Requests and tasks with callbacks.
//
//     start(tasks, peer.read(buffer), [&](result<std::size_t> bytes) { … });
//
// The same operation as `co_await peer.read(buffer)`, under the same contract. It belongs to a
// scope, which does not end before the callback has returned: what the callback refers to must
// live as long as the scope's tasks may use it, and nothing outlives its loop.
//
// A program of callbacks alone needs no task: make a loop, a scope below its root, start what comes
// first, and run the loop.
//
//     auto home = make_loop().value();
//     scope all(home->root());
//     start(all, sleep(1s), [](result<void>) { std::puts("awake"); });
//     home->run();
#pragma once

#include <functional>
#include <type_traits>

#include <upcall/task/detail/begun_operation.hpp>

namespace upcall {

class started;

namespace detail {

/// What a callback is given: what `co_await` yields, and for what may throw (tasks, and what is
/// made of them) std::expected<value, std::exception_ptr>.
template <class Op>
decltype(auto) take_settled(Op& op) {
    if constexpr (may_fail<Op>)
        return take_caught(op);
    else
        return op.take();
}

template <class Op>
using settled_value = decltype(take_settled(std::declval<Op&>()));

template <class Callback, class Value>
inline constexpr bool takes_value = std::is_invocable_v<Callback&, Value>;
template <class Callback>
inline constexpr bool takes_value<Callback, void> = std::is_invocable_v<Callback&>;

/// Says what is wanted where it is not what was given: the compiler names both types beside it.
template <class Callback, class Yields>
constexpr bool check_callback() {
    static_assert(takes_value<Callback, Yields>,
                  "the callback of start does not take what the operation yields: it is called as "
                  "callback(Yields), or callback() where that is void. Yields is what co_await "
                  "gives, and std::expected<value, std::exception_ptr> of what may throw (tasks, "
                  "and what is made of them)");
    return takes_value<Callback, Yields>;
}

class started_base : protected scope_member {
  public:
    virtual void ask_cancel() noexcept = 0;

    started* handle = nullptr;  // at most one refers to it

  protected:
    using scope_member::scope_member;
    ~started_base() = default;

    void let_go_of_handle() noexcept;
};

template <class Op, class Callback>
class started_operation final : public started_base, public recycled {
  public:
    started_operation(scope& in, typename Op::arguments&& given, Callback&& callback,
                      const begun_by& by)
        : started_base(in, "start", by), callback_(std::move(callback)) {
        op_.emplace(std::move(given), *this);
    }
    ~started_operation() = default;

    void begin() noexcept {
        enter();
        op_->begin_in(in().where(), by());
    }
    void ask_cancel() noexcept override { op_->ask_cancel(); }

    // The operation is gone when the callback runs, which may destroy what it worked on; and the
    // callback is gone when the scope may end.
    void settled() noexcept {
        let_go_of_handle();
        try {
            if constexpr (std::is_void_v<settled_value<Op>>) {
                op_->take();
                op_.reset();
                callback_();
            } else {
                auto outcome = take_settled<Op>(*op_);
                op_.reset();
                callback_(std::move(outcome));
            }
        } catch (...) {
            fail(std::current_exception());
        }
        scope& from = in();
        delete this;
        leave(from);
    }

  private:
    Callback callback_;
    std::optional<begun_operation<Op, started_operation>> op_;
};

}  // namespace detail

/// From `start`; for the scope's loop. May be dropped at any time, also in the callback: the
/// operation is the scope's.
class started {
  public:
    started() = default;
    explicit started(detail::started_base& on) noexcept : on_(&on) { on.handle = this; }
    started(started&& other) noexcept { take_from(other); }
    started& operator=(started&& other) noexcept {
        if (this != &other) {
            drop();
            take_from(other);
        }
        return *this;
    }
    ~started() { drop(); }

    /// Asks the operation to end: its outcome decides, and the callback is called with that, later,
    /// from the loop. Nothing happens if it has ended.
    void cancel() noexcept {
        if (on_) on_->ask_cancel();
    }

    /// Whether the callback was called, or is being called.
    bool done() const noexcept { return !on_; }

  private:
    friend class detail::started_base;

    void take_from(started& other) noexcept {
        on_ = std::exchange(other.on_, nullptr);
        if (on_) on_->handle = this;
    }
    void drop() noexcept {
        if (on_) std::exchange(on_, nullptr)->handle = nullptr;
    }

    detail::started_base* on_ = nullptr;
};

inline void detail::started_base::let_go_of_handle() noexcept {
    if (handle) std::exchange(handle, nullptr)->on_ = nullptr;
}

/// Begins `what` (a request, a task, a future) in `in`, whatever the scope's limit, and calls
/// `callback` with the outcome: exactly once, on the scope's loop, from the loop and never inside
/// this call. It is given what `co_await` yields, nothing for void; for what may throw (tasks, and
/// what is made of them) std::expected<value, std::exception_ptr>. What `what` refers to must live
/// until then, as if it were awaited.
///
/// The operation is a child of the scope: stopping or cancelling the scope reaches it, and the
/// scope waits for it and for its callback. An exception that leaves the callback is the scope's,
/// as that of a child: by the scope's policy it cancels the others and is thrown by with_scope, or
/// goes to the scope's handler. In the callback the operation is over, and gone: what it worked on
/// may be destroyed there, the handle too, and the next operation started. Stack use is constant,
/// however many operations in a row are done at once.
///
/// On the scope's loop's thread, also while the loop does not run; fatal elsewhere. Allocates one
/// recycled block, with the operation and the callback in it; throws std::bad_alloc, and then
/// nothing was begun and `callback` is destroyed. `name` is for reports, and outlives the
/// operation.
template <detail::combinable Awaitable, class Callback>
started start(scope& in, Awaitable what, Callback callback, const char* name = nullptr,
              std::source_location where = std::source_location::current()) {
    using begun = detail::operation_of<Awaitable>;
    if constexpr (detail::check_callback<Callback, detail::settled_value<begun>>()) {
        using record = detail::started_operation<begun, Callback>;
        auto* made = new record(in, detail::as_request(std::move(what)).release(),
                                std::move(callback), {name, where});
        started handle(*made);
        made->begin();
        return handle;
    } else {
        return {};
    }
}

}  // namespace upcall
