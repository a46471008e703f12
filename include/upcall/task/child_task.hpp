// A spawned task that can be cancelled and joined by itself, and has a value.
//
//     auto answer = tasks.async(ask(server));
//     … if (!needed) answer.cancel();
//     int value = co_await answer.join();
#pragma once

#include <utility>

#include <upcall/task/request.hpp>
#include <upcall/task/task.hpp>

namespace upcall {

class scope;

namespace detail {

/// A spawned task: its frame, its context, its place in the scope.
struct child final : task_owner, ready_node, recycled {
    context own;
    scope* parent;
    std::coroutine_handle<> frame;
    promise_base* promise;
    operation* joining = nullptr;
    std::uint32_t handles = 0;  // the child_task and the join that refer to it
    bool over = false;          // it has ended, and waits to be joined or dropped
    bool join_taken = false;    // a join was made of it
    bool delivered = false;     // its outcome was handed over, and the scope has forgotten it

    child(scope& in, std::coroutine_handle<> started, promise_base& of) noexcept;
};

class scope_member;
void drop_child(child& gone) noexcept;
void forget_child(child& gone) noexcept;

/// Keeps a child, or at least its record, until dropped.
class child_handle {
  public:
    explicit child_handle(child& kept) noexcept : child_(&kept) { ++kept.handles; }
    child_handle(child_handle&& other) noexcept : child_(std::exchange(other.child_, nullptr)) {}
    child_handle& operator=(child_handle&& other) noexcept {
        if (this != &other) {
            drop();
            child_ = std::exchange(other.child_, nullptr);
        }
        return *this;
    }
    ~child_handle() { drop(); }

    child* get() const noexcept { return child_; }
    void drop() noexcept {
        if (child_) drop_child(*std::exchange(child_, nullptr));
    }

  private:
    child* child_;
};

class join_child_base : public operation_base {
  public:
    explicit join_child_base(child_handle&& of) noexcept : of_(std::move(of)) {}
    bool launch(context& where) noexcept;
    ~join_child_base();
    /// The context of the child that it waits for.
    const context& awaited() const noexcept { return of_.get()->own; }
    bool failed() const noexcept { return of_.get()->promise->exception() != nullptr; }

  protected:
    child& joined() noexcept {
        of_.get()->delivered = true;
        return *of_.get();
    }

  private:
    child_handle of_;
};

template <class T>
class join_child_operation : public join_child_base {
  public:
    struct arguments {
        child_handle of;
    };
    explicit join_child_operation(arguments&& given) noexcept
        : join_child_base(std::move(given.of)) {}
    T take() { return static_cast<promise<T>*>(joined().promise)->take(); }
};

}  // namespace detail

/// A child of a scope, from `scope::async`. For the scope's loop. Must be joined or dropped before
/// the scope ends. Dropping it unjoined leaves the child to the scope, as one that was spawned.
template <class T>
class [[nodiscard("dropped at once it is but a spawned task: use spawn_now")]] child_task {
  public:
    explicit child_task(detail::child& of) noexcept : of_(of) {}

    /// Asks the child to finish, or its operations to end, also while it is being joined. Both stay
    /// raised. Nothing happens if it has ended.
    void stop() noexcept {
        if (!done()) of_.get()->own.stop();
    }
    void cancel() noexcept {
        if (!done()) of_.get()->own.cancel();
    }

    /// Whether it has ended (true of one that was moved from); `join` then completes at once.
    bool done() const noexcept { return !of_.get() || of_.get()->over; }

    /// Waits for the child and yields what it returned, or throws what it threw. Once. Cancelling
    /// the wait cancels the child, and waits for what that brings.
    request<detail::join_child_operation<T>> join() {
        if (!*this) [[unlikely]]
            fatal("child_task::join was called twice, or on one that was moved from");
        of_.get()->join_taken = true;
        return request<detail::join_child_operation<T>>({detail::child_handle(*of_.get())});
    }

    /// Whether there is a child to join: not after `join`, nor after it was moved from.
    explicit operator bool() const noexcept { return of_.get() && !of_.get()->join_taken; }

  private:
    detail::child_handle of_;
};

}  // namespace upcall
