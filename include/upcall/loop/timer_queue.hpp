// Timers of one loop: add and remove in constant time, exact to the nanosecond.
//
// Buckets by the highest bit in which a deadline differs from the last moment looked at (a radix
// heap). A timer moves to a lower bucket at most once per bit, and nothing is sorted until it is
// due. Equal deadlines fire in the order in which they were added.
#pragma once

#include <cstdint>

#include <upcall/base/clock.hpp>
#include <upcall/base/list.hpp>

namespace upcall {

/// Embedded in whatever waits; must be removed or have fired before it is destroyed.
struct timer_node : list_hook<timer_node> {
    time_point deadline{};
    std::uint64_t sequence = 0;  // the queue's own, as is the bucket
    std::uint8_t bucket = 0;
    /// Called once when due, after the node left the queue. May add and remove timers.
    void (*fire)(timer_node&) noexcept = nullptr;

    /// Whether it is in a queue.
    bool armed() const noexcept { return linked(); }
};

/// For the loop's thread. Owns no timer.
class timer_queue {
  public:
    /// Arms `timer` for `deadline`; one in the past fires at the next `fire_due`, `never` never.
    void add(timer_node& timer, time_point deadline) noexcept;

    /// Disarms a timer that is armed.
    void remove(timer_node& timer) noexcept;

    /// A moment at or before the earliest deadline, never after it; `never` without timers.
    /// It may be early when many timers share a bucket: `fire_due` then fires none and the next
    /// answer is closer.
    time_point next_deadline() noexcept;

    /// Fires all timers with a deadline of at most `now`, in order of deadline, then of adding.
    void fire_due(time_point now) noexcept;

    bool empty() const noexcept { return size_ == 0; }
    std::size_t size() const noexcept { return size_; }

  private:
    using timer_list = list<timer_node, timer_node>;
    static constexpr int buckets = 64;
    static constexpr std::uint32_t scan_max = 16;  // longer buckets answer with their lower bound

    int bucket_of(std::int64_t deadline_ns) const noexcept;
    void place(timer_node& timer) noexcept;
    void collect_due(std::int64_t now_ns, timer_list& due) noexcept;
    static void sort(timer_list& timers) noexcept;

    timer_list bucket_[buckets];
    std::uint32_t count_[buckets] = {};
    std::uint64_t occupied_ = 0;  // bit b: bucket b is not empty
    std::int64_t last_ns_ = 0;
    time_point next_ = never;
    bool next_known_ = true;
    std::uint64_t sequence_ = 0;
    std::size_t size_ = 0;
};

}  // namespace upcall
