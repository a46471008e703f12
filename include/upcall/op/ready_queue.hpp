// What is ready to run on a loop: one queue for each task class.
#pragma once

#include <atomic>
#include <cstddef>

#include <upcall/base/list.hpp>
#include <upcall/op/ready_node.hpp>
#include <upcall/op/task_class.hpp>

namespace upcall {

class context;

/// First in, first out within a class. Used by the loop's thread alone.
class ready_queue {
  public:
    /// Into the loop's own class.
    void push(ready_node& node) noexcept { own_.push(node); }
    /// The first of the loop's own class, or null.
    ready_node* pop() noexcept { return own_.pop(); }

    /// Whether nothing is ready, in any class.
    bool empty() const noexcept { return own_.empty() && (alone() || none_of_others()); }

    /// The class of whatever was put in no other.
    task_class& own() noexcept { return own_; }

    /// Calls `visit` with each class, the loop's own first.
    template <class Visit>
    void for_each_class(Visit visit) {
        visit(own_);
        classes_.for_each(visit);
    }

    /// In which context the task runs that was taken out last; null: none runs. For reports, which
    /// may interrupt the thread.
    context* running() const noexcept { return running_.load(std::memory_order_relaxed); }
    void set_running(context* now) noexcept { running_.store(now, std::memory_order_relaxed); }

    // ---- whose turn it is; for the loop -----------------------------------------------------

    /// Measures from now on, also while there is but one class.
    void keep_accounts() noexcept { accounts_ = true; }
    /// Whether what runs is measured: there are several classes, or somebody wants to know.
    bool measured() const noexcept { return accounts_ || !alone(); }

    /// What waits has waited until now. Before the first `pick` of a turn.
    void begin(time_point now) noexcept;
    /// The class that runs next, or null if nothing is ready.
    task_class* pick(time_point now) noexcept;
    /// Whether `one` was picked, and is still there.
    bool serves(const task_class& one) const noexcept { return serving_ == &one; }
    /// The class that was picked had `handlers` run, which took until `now`. `goal` is how long
    /// they should take together.
    void charge(std::uint32_t handlers, time_point now, duration goal) noexcept;

  private:
    friend class task_class;

    bool alone() const noexcept { return classes_.empty(); }
    bool none_of_others() const noexcept;
    task_class* most_overdue(time_point now) noexcept;

    task_class own_{this};
    // Lists are walked by who may change what they hold.
    mutable list<task_class, task_class> classes_;
    task_class* serving_ = nullptr;
    time_point looked_{};
    bool out_of_turn_ = false;  // the class before was favoured for its target
    bool accounts_ = false;
    std::atomic<context*> running_{nullptr};
};

}  // namespace upcall
