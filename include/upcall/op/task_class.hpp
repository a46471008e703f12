// A named share of a loop.
//
//     task_class compaction(home, "compaction", {.shares = 100});
//     tasks.spawn_now(compact(), compaction, "compact");
//
// Tasks that are in no other class are in the loop's own, which has 1,000 shares. As long as tasks
// of several classes are ready, each class gets the loop's time in proportion to its shares; a
// class that is alone gets all of it. A class that comes back after a rest has saved nothing up.
// Within a class it is first in, first out. docs/fairness.md has the rules and the bounds.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>

#include <upcall/base/clock.hpp>
#include <upcall/base/list.hpp>
#include <upcall/op/ready_node.hpp>

namespace upcall {

class ready_queue;

/// What a class is to get of its loop.
struct task_class_options {
    /// From 1 to 1,000,000; what is out of range is taken for the nearest that is not.
    std::uint32_t shares = 1000;
    /// When the first of its ready tasks has waited longer than this, the class runs next, though
    /// it may not be its turn; at most every other time, so that the rest goes on by shares. Zero:
    /// it has no target.
    duration latency_target{};
};

/// What the tasks of a class had of the loop. Kept while the loop has classes of the program's, or
/// loop_options::accounts; to within the time between two looks at the clock.
struct task_account {
    /// How long its handlers ran, and how many did.
    duration ran{};
    std::uint64_t resumptions = 0;
    /// How long tasks that were ready waited for their turn: all of them together, and the longest.
    duration waited{};
    duration longest_wait{};
};

namespace detail {

/// How many handlers run between two looks at the clock: as many as are expected to fit into a
/// length of time, learned from the last ones.
class clock_interval {
  public:
    static constexpr std::uint32_t most = 32;

    std::uint32_t handlers() const noexcept { return handlers_; }
    /// `ran` handlers took `took`; `goal` is the length of time.
    void learn(std::uint32_t ran, duration took, duration goal) noexcept;

  private:
    std::uint32_t handlers_ = 1;
    duration longest_{};  // of late, one of them
};

/// When what waits in a queue was put there, to within two looks at the clock; past sixteen looks
/// the marks get wider apart. What was there is never taken for younger than the look that saw it.
class arrival_marks {
  public:
    /// `count` nodes have ever been put into the queue by now.
    void note(std::uint64_t count, time_point now) noexcept;
    /// When the first arrived that was not among the `taken` first, or `never`.
    time_point oldest(std::uint64_t taken) noexcept;

  private:
    struct mark {
        std::uint64_t count;
        time_point seen;
    };
    std::array<mark, 16> marks_{};
    std::size_t size_ = 0;
};

}  // namespace detail

/// Belongs to one loop and is used on its thread; pinned. Must outlive the tasks in it, and may not
/// outlive the loop: both are fatal, naming the class.
class task_class : list_hook<task_class> {
  public:
    /// `home` is a loop, or a context of it; `name` outlives the class.
    template <class Home>
        requires requires(Home& home) {
            { home.ready() } -> std::same_as<ready_queue&>;
        }
    task_class(Home& home, const char* name, const task_class_options& options = {}) noexcept
        : task_class(home.ready(), name, options) {}
    /// The same by the loop's queue.
    task_class(ready_queue& of, const char* name, const task_class_options& options = {}) noexcept;
    task_class(const task_class&) = delete;
    task_class& operator=(const task_class&) = delete;
    ~task_class();

    /// What it was made with, as far as that was in range.
    const char* name() const noexcept { return name_; }
    std::uint32_t shares() const noexcept { return shares_; }
    duration latency_target() const noexcept { return latency_target_; }
    /// What it has had so far; stays valid as long as the class, and goes on.
    const task_account& account() const noexcept { return account_; }

    /// What is ready of it.
    bool empty() const noexcept { return nodes_.empty(); }
    std::size_t size() const noexcept { return size_; }

    // ---- for the loop -----------------------------------------------------------------------

    /// Whose class it is.
    ready_queue& of() const noexcept { return *of_; }

    /// Behind what is ready of it.
    void push(ready_node& node) noexcept {
        nodes_.push(node);
        ++size_;
    }
    /// Takes out the first, or returns null.
    ready_node* pop() noexcept {
        ready_node* node = nodes_.pop();
        if (node) --size_;
        return node;
    }
    /// Takes out the `index`-th node from the front; `index` is below size(). Linear: this is for
    /// choosers that reorder on purpose.
    ready_node* pop_at(std::size_t index) noexcept {
        ready_node* node = nodes_.front();
        while (index-- > 0) node = node->ready_next;
        nodes_.remove(*node);
        --size_;
        return node;
    }

    /// Handlers that may run before the clock is looked at.
    std::uint32_t stretch() const noexcept { return interval_.handlers(); }

    /// A context is the first of its kind to be in this class; it is no longer.
    void enter() noexcept { ++users_; }
    void leave() noexcept { --users_; }

  private:
    friend class ready_queue;
    friend class list<task_class, task_class>;

    /// The loop's own, a member of its queue.
    explicit task_class(ready_queue* of) noexcept : name_("main"), of_(of) {}

    void charge(std::uint32_t handlers, duration took, duration goal) noexcept;
    void look(time_point now, duration passed, std::uint32_t taken) noexcept;
    time_point oldest() noexcept { return marks_.oldest(taken_); }

    queue<ready_node, &ready_node::ready_next> nodes_;
    std::size_t size_ = 0;
    std::uint32_t shares_ = 1000;
    std::uint32_t users_ = 0;
    /// By how much it has had more than the class that had least, in nanoseconds of 1,000 shares.
    std::int64_t ahead_ = 0;
    std::size_t seen_size_ = 0;  // at the last look at the clock
    std::uint64_t taken_ = 0;
    detail::clock_interval interval_;
    detail::arrival_marks marks_;
    duration latency_target_{};
    task_account account_;
    const char* name_;
    ready_queue* of_;
};

}  // namespace upcall
