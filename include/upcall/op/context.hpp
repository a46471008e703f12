// A context: what a task inherits and everything started in it.
//
// Contexts form a tree that follows the structure of the program: a scope, a spawned child, a
// timeout each have one. Operations in flight are linked into theirs, so cancelling is a walk over
// what is really there, and a report can name the tasks that are left.
#pragma once

#include <source_location>

#include <upcall/base/clock.hpp>
#include <upcall/op/operation.hpp>

namespace upcall {

class loop;

/// Used on its loop's thread alone; `loop::post` brings a call there.
class context : public list_hook<context> {
  public:
    /// A root: a loop's own.
    context(loop& home, ready_queue& ready) noexcept : loop_(&home), class_(&ready.own()) {}
    /// A child; inherits what has been raised on `parent`, and outlives nothing of it.
    explicit context(context& parent) noexcept { attach(parent); }
    /// For members that are attached later.
    context() = default;
    /// Every operation and child must have ended.
    ~context();

    /// Makes a default-made context a child, and takes it out of the tree again: nothing may be in
    /// flight in it then.
    void attach(context& parent) noexcept;
    void detach() noexcept;

    /// The loop that all of the tree runs on.
    loop& home() const noexcept { return *loop_; }
    ready_queue& ready() const noexcept { return class_->of(); }
    /// Inherited: whose share of the loop is used by what runs here.
    task_class& in_class() const noexcept { return *class_; }
    /// Before anything is started here; the class belongs to the same loop.
    void set_class(task_class& chosen) noexcept;
    context* parent() const noexcept { return parent_; }

    /// Asks every operation in this context and below to end; new ones end at once with the same
    /// code. Stays raised. A shielded child decides for itself (see `on_cancel`).
    void cancel(cancel_cause why = cancel_cause::cancelled) noexcept;

    /// Asks to finish: operations marked `ends_on_stop` end with `cancelled`, work in hand goes on.
    void stop() noexcept;

    /// What has been raised here or above, and is not held off by a shield.
    cancel_cause cancelled() const noexcept { return cause_; }
    bool stopping() const noexcept { return stopping_; }

    /// What an operation with this `ends_on_stop` would be told if it were started now.
    cancel_cause refuses(bool ends_on_stop) const noexcept {
        if (cause_ != cancel_cause::none) return cause_;
        return ends_on_stop && stopping_ ? cancel_cause::cancelled : cancel_cause::none;
    }

    /// Set by a shield: called instead of `cancel` when the parent is cancelled.
    void (*on_cancel)(context&, cancel_cause) noexcept = nullptr;
    /// For a shield, right after it was attached: what was raised above does not count inside.
    void forget_inherited() noexcept { cause_ = cancel_cause::none; }

    /// The moment by which what runs here is to be done: the earliest one set here or above.
    /// Only says so; whoever sets it also arranges that `cancel(cancel_cause::deadline)` is called.
    time_point deadline() const noexcept { return deadline_; }
    void lower_deadline(time_point deadline) noexcept {
        if (deadline < deadline_) deadline_ = deadline;
    }
    /// For a shield: clean-up has a deadline of its own.
    void replace_deadline(time_point deadline) noexcept { deadline_ = deadline; }

    /// Inherited: operations that are done at once are not charged to the loop's budget.
    bool unconstrained() const noexcept { return unconstrained_; }
    void set_unconstrained() noexcept { unconstrained_ = true; }

    /// A task runs in this context: until it is detached the loop has work left.
    void mark_task() noexcept { task_ = true; }
    bool is_task() const noexcept { return task_; }
    /// Whether a task or an operation is left here or below.
    bool busy() noexcept;

    /// The task's name for reports: set where it was spawned, else its parent's. Never null.
    const char* name() const noexcept;
    void set_name(const char* name, std::source_location where) noexcept {
        name_ = name;
        where_ = where;
    }
    /// Where the task was spawned that this is the context of.
    const std::source_location& spawned_at() const noexcept { return where_; }

    /// Walks the tree below `top`, this context being in it: the next one, or null after the last.
    /// Without `descend` what is below this one is passed over.
    context* next_below(context& top, bool descend) noexcept;

    /// What is in flight here, and the contexts right below. For walks that look; what they hold
    /// links itself.
    list<operation, operation>& operations() noexcept { return operations_; }
    list<context, context>& children() noexcept { return children_; }

  private:
    bool raise_cancel(context& top, cancel_cause why) noexcept;

    loop* loop_ = nullptr;
    task_class* class_ = nullptr;
    context* parent_ = nullptr;
    list<operation, operation> operations_;
    list<context, context> children_;
    const char* name_ = nullptr;
    std::source_location where_;
    time_point deadline_ = never;
    cancel_cause cause_ = cancel_cause::none;
    bool stopping_ = false;
    bool unconstrained_ = false;
    bool task_ = false;
    bool class_set_ = false;  // here, not above
};

}  // namespace upcall
