// A request: a movable description of work that has not started. Awaiting it starts the operation
// in the awaiting coroutine's frame, and nowhere else: no allocation, no lock.
//
// For those who write operations. `Op` derives from `operation` and has
//   - `arguments`, movable: what the request carries; and a constructor that takes it by &&;
//   - `bool launch(context&)`: starts it. True: the outcome is known and the operation idle again.
//     False: it was begun, and will be completed. The owner has set `run` before.
//   - `bool settle()`: called when the loop runs its completion, before it is retired. False: there
//     is more to do, it was started again. (Optional; `operation_base` says true.)
//   - `take()`: the outcome, once.
//   - `bool failed()`: whether `take` will throw what a task threw. (Optional.)
//   - `lower_deadline(time_point)`: called before `launch`, for what passes deadlines on; optional.
//
// Such a class is not final: combinators derive from it.
#pragma once

#include <coroutine>
#include <utility>

#include <upcall/loop/loop.hpp>
#include <upcall/task/detail/awaiting.hpp>

namespace upcall {

namespace detail {

/// The pinned operation of an awaited request, and the coroutine that waits for it.
template <class Op>
class operation_awaiter final : Op {
  public:
    explicit operation_awaiter(typename Op::arguments&& given) : Op(std::move(given)) {}

    bool await_ready() const noexcept { return false; }

    template <awaits_in_a_task Promise>
    bool await_suspend(std::coroutine_handle<Promise> waiting) noexcept {
        context& where = waiting.promise().where();
        waiting_ = waiting;
        this->run = [](ready_node& node) noexcept {
            auto& self = static_cast<operation_awaiter&>(node);
            if (!self.settle()) return self.renew_cancel();
            context& task = *self.owner;
            self.retire();
            task.home().resume(self.waiting_, task);
        };
        if (!this->launch(where)) return true;
        if (where.unconstrained() || where.home().spend()) return false;
        // Done, but this task has had its share: it goes on behind the others.
        this->run = [](ready_node& node) noexcept {
            auto& self = static_cast<operation_awaiter&>(node);
            context& task = *self.owner;
            self.retire();
            task.home().resume(self.waiting_, task);
        };
        this->begin(where);
        this->complete();
        return true;
    }

    auto await_resume() { return this->take(); }

  private:
    std::coroutine_handle<> waiting_;
};

}  // namespace detail

/// What `stream.read(buffer)` and the like return: `co_await` it once, in the same expression or
/// later (`co_await std::move(kept)`). What it refers to (buffers, handles) must live until the
/// operation has completed. Move-only, because it is awaited once.
template <class Op>
class [[nodiscard("a request does nothing until it is awaited")]] request {
  public:
    using operation_type = Op;
    using arguments = typename Op::arguments;
    using value_type = decltype(std::declval<Op&>().take());

    explicit request(arguments given) : arguments_(std::move(given)) {}
    request(request&&) = default;
    request& operator=(request&&) = default;
    request(const request&) = delete;
    request& operator=(const request&) = delete;

    /// Not of one that has a name: it is used up, so write co_await std::move(it).
    detail::write_co_await_std_move operator co_await() & = delete;
    auto operator co_await() && { return detail::operation_awaiter<Op>(std::move(arguments_)); }

    /// For combinators: what the request carries.
    arguments release() && { return std::move(arguments_); }

  private:
    arguments arguments_;
};

/// What operations of one completion share.
struct operation_base : operation {
    bool settle() noexcept { return true; }
};

struct io_operation_base : io_operation {
    bool settle() noexcept { return true; }
};

}  // namespace upcall
