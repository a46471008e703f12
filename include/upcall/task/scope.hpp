// Structured concurrency: a scope owns the tasks spawned in it and does not end before they do.
//
//     co_await with_scope([&](scope& connections) -> task<> {
//         while (auto peer = co_await listener.accept())
//             co_await connections.spawn(serve(std::move(*peer)), "connection");
//     });
//
// Everything below is for the scope's own loop; `scope::remote` gives out handles for other
// threads.
#pragma once

#include <memory>
#include <source_location>
#include <type_traits>

#include <upcall/task/request.hpp>
#include <upcall/task/task.hpp>

namespace upcall {

class scope;

/// What a scope does when a child ends with an exception.
enum class on_failure : std::uint8_t {
    cancel_others,  // cancel the scope; with_scope throws the first exception when all have ended
    supervise,      // the others go on; the exception goes to the scope's handler, or is dropped
};

struct scope_options {
    on_failure policy = on_failure::cancel_others;
    /// Children at one time; `spawn` waits while there are as many. 0: no limit.
    std::size_t limit = 0;
    /// With `supervise`: told of every child's exception, by name. Must not throw.
    void (*failed)(const char* name, const std::exception_ptr& why) noexcept = nullptr;
};

namespace detail {

/// A spawned task: its frame, its context, its place in the scope.
struct child final : task_owner, ready_node, recycled {
    context own;
    scope* parent;
    std::coroutine_handle<> frame;
    promise_base* promise;

    child(scope& in, std::coroutine_handle<> started, promise_base& of) noexcept;
};

class spawn_operation : public operation_base {
  public:
    struct arguments {
        scope* in;
        task<> what;
        const char* name;
        std::source_location where;
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

  private:
    scope* in_;
};

}  // namespace detail

class scope {
  public:
    scope(context& parent, scope_options options = {}) noexcept;
    scope(const scope&) = delete;
    scope& operator=(const scope&) = delete;
    /// Fatal while children run: use `with_scope`, which waits for them.
    ~scope();

    /// Starts `what` as a child, named for reports; awaiting this waits for room only if the scope
    /// has a limit and it is reached. `name` must outlive the child. Errors: `cancelled` or
    /// `deadline_exceeded` when the spawner was asked to end while it waited for room; the task is
    /// then destroyed without having started. A scope that is already cancelled still runs its new
    /// children, whose operations end at once: clean-up code in them is not skipped.
    request<detail::spawn_operation> spawn(
        task<> what, const char* name = nullptr,
        std::source_location where = std::source_location::current()) {
        return request<detail::spawn_operation>({this, std::move(what), name, where});
    }

    /// As `spawn`, at once and whatever the limit.
    void spawn_now(task<> what, const char* name = nullptr,
                   std::source_location where = std::source_location::current());

    /// Asks all children to finish, or to end. Both stay raised.
    void stop() noexcept { own_.stop(); }
    void cancel() noexcept { own_.cancel(); }

    /// Children that have not ended.
    std::size_t size() const noexcept { return children_; }

    /// Waits until there are no children; cannot be cancelled (cancel the scope instead).
    request<detail::join_operation> join() { return request<detail::join_operation>({this}); }

    /// The context that children inherit.
    context& where() noexcept { return own_; }

    /// The first exception of a child, with `cancel_others`.
    const std::exception_ptr& exception() const noexcept { return exception_; }
    /// Records `why` as a child's exception would be, and cancels.
    void fail(std::exception_ptr why) noexcept;

  private:
    friend struct detail::child;
    friend class detail::spawn_operation;
    friend class detail::join_operation;

    void start(task<> what, const char* name, const std::source_location& where);
    void ended(detail::child& gone) noexcept;
    bool full() const noexcept { return options_.limit != 0 && children_ >= options_.limit; }
    void admit() noexcept;

    context own_;
    scope_options options_;
    std::size_t children_ = 0;
    std::exception_ptr exception_;
    detail::join_operation* joining_ = nullptr;
    queue<detail::spawn_operation, &detail::spawn_operation::next_waiting> waiting_;
};

namespace detail {

/// The context of the awaiting task, without suspending it.
struct current_context {
    context* found = nullptr;
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> waiting) noexcept {
        found = &waiting.promise().where();
        return false;
    }
    context& await_resume() const noexcept { return *found; }
};

/// Awaits a task, owned by the awaiting coroutine, in another context than its own. It owns
/// nothing: GCC 12 destroys an awaited aggregate twice.
template <class T>
struct in_context {
    std::coroutine_handle<promise<T>> what;
    context* where;

    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> waiting) const noexcept {
        what.promise().start_for(*where, waiting);
        where->home().resume_next(what);
    }
    T await_resume() const { return what.promise().take(); }
};

}  // namespace detail

/// Runs `body(scope&)`, a task, and then waits for all children, exceptions included. The body runs
/// inside the scope: what cancels the scope cancels it too. Returns what the body returns; throws
/// the first exception of the body or, with `cancel_others`, of a child.
/// `body` is called at once and kept alive until the end, so it may capture by reference.
template <class Body>
auto with_scope(Body body, scope_options options = {})
    -> task<typename std::invoke_result_t<Body&, scope&>::value_type> {
    using value = typename std::invoke_result_t<Body&, scope&>::value_type;
    context& outer = co_await detail::current_context{};
    scope inner(outer, options);
    if constexpr (std::is_void_v<value>) {
        try {
            task<value> running = body(inner);
            co_await detail::in_context<value>{running.frame(), &inner.where()};
        } catch (...) {
            inner.fail(std::current_exception());
        }
        co_await inner.join();
        if (inner.exception()) std::rethrow_exception(inner.exception());
    } else {
        std::optional<value> outcome;
        try {
            task<value> running = body(inner);
            outcome.emplace(co_await detail::in_context<value>{running.frame(), &inner.where()});
        } catch (...) {
            inner.fail(std::current_exception());
        }
        co_await inner.join();
        if (inner.exception()) std::rethrow_exception(inner.exception());
        co_return std::move(*outcome);
    }
}

}  // namespace upcall
