// Structured concurrency: a scope owns the tasks spawned in it and does not end before they do.
//
//     co_await with_scope([&](scope& connections) -> task<> {
//         while (auto peer = co_await listener.accept())
//             connections.spawn_now(serve(std::move(*peer)), "connection");
//     });
//
// Everything below is for the scope's own loop; `scope::remote` gives out handles for other
// threads.
#pragma once

#include <optional>
#include <source_location>
#include <type_traits>

#include <upcall/task/child_task.hpp>
#include <upcall/task/remote_scope.hpp>
#include <upcall/task/request.hpp>
#include <upcall/task/task.hpp>
#include <upcall/task/this_task.hpp>

namespace upcall {

/// What a scope does when a child ends with an exception.
enum class on_failure : std::uint8_t {
    /// The scope is cancelled, and with it the other children and the body of with_scope: their
    /// operations end with errc::cancelled, which is all that they see of it. When all have ended,
    /// with_scope throws the first exception.
    cancel_others,
    /// The others go on; the exception goes to the scope's handler, or is dropped.
    supervise,
};

/// How a scope treats its children.
struct scope_options {
    on_failure policy = on_failure::cancel_others;
    /// Children at one time; `spawn` waits while there are as many. 0: no limit.
    std::size_t limit = 0;
    /// Told, by the child's name, of every exception that with_scope will not throw: all of them
    /// with `supervise`, else those after the first. Must not throw.
    void (*failed)(const char* name, const std::exception_ptr& why) noexcept = nullptr;
    /// The task class of the children, and of the body of with_scope after its first wait. It
    /// outlives the scope. Null: as the task around it.
    task_class* in_class = nullptr;
};

namespace detail {

class spawn_operation : public operation_base {
  public:
    struct arguments {
        scope* in;
        task<> what;
        const char* name;
        std::source_location where;
        task_class* in_class;
    };
    explicit spawn_operation(arguments&& given) noexcept : given_(std::move(given)) {}

    bool launch(context& where) noexcept;
    result<void> take() const noexcept {
        if (why_) return failure(why_);
        return {};
    }

    spawn_operation* next_waiting = nullptr;

  private:
    friend class upcall::scope;
    void start() noexcept;

    arguments given_;
    std::error_code why_;
};

/// Waits until the scope has no children.
class join_operation : public operation_base {
  public:
    struct arguments {
        scope* in;
    };
    explicit join_operation(arguments&& given) noexcept : in_(given.in) {}
    bool launch(context& where) noexcept;
    void take() const noexcept {}
    /// Below which those are that it waits for.
    const context& awaited() const noexcept;

    join_operation* next_waiting = nullptr;

  private:
    scope* in_;
};

}  // namespace detail

/// Owns child tasks, and what `start` and `submit` began. Pinned; for its loop's thread. Most
/// programs make one with `with_scope`.
class scope {
  public:
    /// Below `parent`, from which the children inherit, and which outlives it: a loop's root, or
    /// this_task::current_context.
    scope(context& parent, scope_options options = {}) noexcept;
    scope(const scope&) = delete;
    scope& operator=(const scope&) = delete;
    /// Fatal while children run: use `with_scope`, which waits for them.
    ~scope();

    /// Starts `what` as a child, named for reports; awaiting this waits for room only if the scope
    /// has a limit and it is reached. `name` must outlive the child. A scope that is already
    /// cancelled still runs its new children, whose operations end at once: clean-up code in them
    /// is not skipped. Errors, each of which destroys the task without starting it: `cancelled` or
    /// `deadline_exceeded` when the spawner was asked to end while it waited for room;
    /// not_enough_memory; wrong_loop. (That there is no memory for the task's own frame is thrown
    /// where the task is made.)
    request<detail::spawn_operation> spawn(
        task<> what, const char* name = nullptr,
        std::source_location where = std::source_location::current()) {
        return request<detail::spawn_operation>({this, std::move(what), name, where, nullptr});
    }
    /// The same, in a task class of the same loop, which outlives the child.
    request<detail::spawn_operation> spawn(
        task<> what, task_class& in, const char* name = nullptr,
        std::source_location where = std::source_location::current()) {
        return request<detail::spawn_operation>({this, std::move(what), name, where, &in});
    }

    /// As `spawn`, at once and whatever the limit. Throws std::bad_alloc; `what` is destroyed then.
    void spawn_now(task<> what, const char* name = nullptr,
                   std::source_location where = std::source_location::current()) {
        start(std::move(what), name, nullptr, where);
    }
    void spawn_now(task<> what, task_class& in, const char* name = nullptr,
                   std::source_location where = std::source_location::current()) {
        start(std::move(what), name, &in, where);
    }

    /// As `spawn_now`, for a task with a value, or one that is to be cancelled by itself.
    /// An exception of it is thrown by `child_task::join`, and counts as a child's only if the
    /// handle is dropped instead.
    template <class T>
    child_task<T> async(task<T> what, const char* name = nullptr,
                        std::source_location where = std::source_location::current()) {
        detail::child& made = start(std::move(what), name, nullptr, where);
        ++handles_;
        return child_task<T>(made);
    }
    template <class T>
    child_task<T> async(task<T> what, task_class& in, const char* name = nullptr,
                        std::source_location where = std::source_location::current()) {
        detail::child& made = start(std::move(what), name, &in, where);
        ++handles_;
        return child_task<T>(made);
    }

    /// Asks all children to finish, or to end. Both stay raised.
    void stop() noexcept { own_.stop(); }
    void cancel() noexcept { own_.cancel(); }

    /// Stop and cancel for other threads, for as long as they like. Allocates the first time;
    /// throws std::bad_alloc.
    remote_scope remote();

    /// Children that have not ended, with what `start` and `submit` began.
    std::size_t size() const noexcept { return children_; }

    /// Waits until there are no children; cannot be cancelled (cancel the scope instead). A child
    /// that waits for its own scope waits for ever.
    request<detail::join_operation> join() { return request<detail::join_operation>({this}); }

    /// The context that children inherit.
    context& where() noexcept { return own_; }

    /// The first exception of a child, with `cancel_others`.
    const std::exception_ptr& exception() const noexcept { return exception_; }
    /// Records `why` as a child's exception would be with `cancel_others`.
    void fail(std::exception_ptr why) noexcept { fail(own_.name(), std::move(why)); }

  private:
    friend struct detail::child;
    friend class detail::spawn_operation;
    friend class detail::join_operation;
    friend class detail::scope_member;
    friend void detail::drop_child(detail::child&) noexcept;
    friend void detail::forget_child(detail::child&) noexcept;

    template <class T>
    detail::child& start(task<T> what, const char* name, task_class* in,
                         const std::source_location& where) {
        auto frame = what.frame();
        detail::check_startable(frame, own_);
        auto* made = new detail::child(*this, frame, frame.promise());
        what.release();
        adopt(*made, name, in, where);
        return *made;
    }
    void adopt(detail::child& made, const char* name, task_class* in,
               const std::source_location& where) noexcept;
    void ended(detail::child& gone) noexcept;
    void one_has_left() noexcept;
    void release(detail::child& gone) noexcept;
    void fail(const char* name, std::exception_ptr why) noexcept;
    void failed(const char* name, std::exception_ptr why) noexcept;
    bool full() const noexcept { return options_.limit != 0 && children_ >= options_.limit; }
    void admit() noexcept;

    context own_;
    scope_options options_;
    std::size_t children_ = 0;
    std::size_t handles_ = 0;
    std::exception_ptr exception_;
    detail::remote_state* remote_ = nullptr;
    queue<detail::join_operation, &detail::join_operation::next_waiting> joining_;
    queue<detail::spawn_operation, &detail::spawn_operation::next_waiting> waiting_;
};

namespace detail {

/// Awaits a task in another context than the awaiting one's. Not an aggregate: GCC 12 destroys the
/// members of an aggregate made in a `co_await` expression twice.
template <class T>
class in_context {
  public:
    in_context(task<T>&& what, context& where) noexcept : what_(std::move(what)), where_(&where) {}

    bool await_ready() const noexcept { return false; }
    template <awaits_in_a_task Promise>
    void await_suspend(std::coroutine_handle<Promise> waiting) const noexcept {
        check_startable(what_.frame(), *where_);
        what_.frame().promise().start_for(*where_, waiting);
        where_->home().resume_next(what_.frame());
    }
    T await_resume() const { return what_.frame().promise().take(); }

  private:
    task<T> what_;
    context* where_;
};

inline const context& join_operation::awaited() const noexcept { return in_->where(); }

template <class T>
inline constexpr bool is_task = false;
template <class T>
inline constexpr bool is_task<task<T>> = true;

/// A body for with_scope: called with a scope& it returns a task, as a lambda does that is written
/// `[&](scope& tasks) -> task<> { … }`.
template <class Body>
concept scope_body =
    std::is_invocable_v<Body&, scope&> && is_task<std::invoke_result_t<Body&, scope&>>;

}  // namespace detail

/// Runs `body(scope&)`, a task, and then waits for all children, exceptions included. The body runs
/// inside the scope: what cancels the scope cancels it too. Returns what the body returns; throws
/// the first exception of the body or, with `cancel_others`, of a child.
/// `body` is called at once and kept alive until the end, so it may capture by reference.
template <detail::scope_body Body>
auto with_scope(Body body, scope_options options = {})
    -> task<typename std::invoke_result_t<Body&, scope&>::value_type> {
    using value = typename std::invoke_result_t<Body&, scope&>::value_type;
    context& outer = co_await this_task::current_context();
    scope inner(outer, options);
    if constexpr (std::is_void_v<value>) {
        try {
            co_await detail::in_context<value>(body(inner), inner.where());
        } catch (...) {
            inner.fail(std::current_exception());
        }
        co_await inner.join();
        if (inner.exception()) std::rethrow_exception(inner.exception());
    } else {
        std::optional<value> outcome;
        try {
            outcome.emplace(co_await detail::in_context<value>(body(inner), inner.where()));
        } catch (...) {
            inner.fail(std::current_exception());
        }
        co_await inner.join();
        if (inner.exception()) std::rethrow_exception(inner.exception());
        co_return std::move(*outcome);
    }
}

}  // namespace upcall
