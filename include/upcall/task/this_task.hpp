// What a task can ask about itself, and how it behaves towards others.
//
//     for (;;) {
//         crunch(next());
//         const auto go_on = co_await this_task::checkpoint();
//         if (!go_on) break;
//     }
#pragma once

#include <upcall/task/detail/task_operation.hpp>

namespace upcall {

namespace detail {

/// Looks something up in the awaiting task's context, without suspending.
template <class Look>
struct context_look {
    Look look;
    context* found = nullptr;
    bool await_ready() const noexcept { return false; }
    template <awaits_in_a_task Promise>
    bool await_suspend(std::coroutine_handle<Promise> waiting) noexcept {
        found = &waiting.promise().where();
        return false;
    }
    decltype(auto) await_resume() const noexcept { return look(*found); }
};
template <class Look>
context_look(Look) -> context_look<Look>;

class checkpoint_operation : public operation_base {
  public:
    struct arguments {};
    explicit checkpoint_operation(arguments&&) noexcept {}

    bool launch(context& where) noexcept {
        owner = &where;
        where.home().look_at_quantum();
        return true;
    }
    /// Also what was raised while others ran.
    result<void> take() const noexcept {
        if (const cancel_cause why = owner->cancelled(); why != cancel_cause::none)
            return failure(errc_of(why));
        return {};
    }
};

struct class_context : context {
    struct options {
        task_class* chosen;
    };
    explicit class_context(const options& given) noexcept : chosen_(given.chosen) {}
    void attach(context& parent) noexcept {
        context::attach(parent);
        set_class(*chosen_);
    }

  private:
    task_class* chosen_;
};

struct unconstrained_context : context {
    struct options {};
    explicit unconstrained_context(const options&) noexcept {}
    void attach(context& parent) noexcept {
        context::attach(parent);
        set_unconstrained();
    }
};

}  // namespace detail

namespace this_task {

/// Whether the task was asked to finish: to take on no new work, but to end what it has in hand.
inline auto stop_requested() {
    return detail::context_look{[](context& at) noexcept { return at.stopping(); }};
}

/// Whether its operations are being ended, and why: `none`, `cancelled` or `deadline`.
inline auto cancel_requested() {
    return detail::context_look{[](context& at) noexcept { return at.cancelled(); }};
}

/// The moment by which it is to be done, or `never`: the earliest of all limits set around it.
inline auto deadline() {
    return detail::context_look{[](context& at) noexcept { return at.deadline(); }};
}

/// The name it was spawned with, or the next one above.
inline auto name() {
    return detail::context_look{[](context& at) noexcept { return at.name(); }};
}

/// The loop it runs on.
inline auto home() {
    return detail::context_look{[](context& at) noexcept -> loop& { return at.home(); }};
}

/// The context its operations are started in; lives as long as the task.
inline auto current_context() {
    return detail::context_look{[](context& at) noexcept -> context& { return at; }};
}

/// The task class that it runs in.
inline auto current_class() {
    return detail::context_look{[](context& at) noexcept -> task_class& { return at.in_class(); }};
}

/// For long computations: lets others run if the task has used up its budget, or its quantum
/// (loop_limits), else goes on at once, for the price of a look at the clock. Errors: `cancelled`
/// or `deadline_exceeded` when it was asked to end.
inline request<detail::checkpoint_operation> checkpoint() {
    return request<detail::checkpoint_operation>({});
}

}  // namespace this_task

/// Runs `what` in a task class of the same loop, which outlives it, and yields what it yields. To
/// spawn in a class, see `scope`.
template <class T>
auto in_class(task_class& chosen, task<T> what) {
    using operation_type = detail::task_operation_in<T, detail::class_context>;
    return request<operation_type>({std::move(what), {&chosen}});
}

/// Runs `what` without charging it for operations that are done at once: it never gives way unless
/// it waits. For short stretches that must not be interleaved; a loop in it starves all others.
template <class T>
auto unconstrained(task<T> what) {
    using operation_type = detail::task_operation_in<T, detail::unconstrained_context>;
    return request<operation_type>({std::move(what), {}});
}

}  // namespace upcall
