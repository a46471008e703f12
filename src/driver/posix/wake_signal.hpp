// What ends a wait for descriptors from another thread: a descriptor that becomes readable.
#pragma once

#include <atomic>
#include <cstdint>

namespace upcall {

/// An eventfd(2), or a pipe where there is none.
class wake_signal {
  public:
    wake_signal() = default;
    wake_signal(const wake_signal&) = delete;
    wake_signal& operator=(const wake_signal&) = delete;
    ~wake_signal();

    /// Creates the descriptors: 0 or a negated errno.
    std::int64_t open() noexcept;

    /// The descriptor to wait for, readable while raised.
    int fd() const noexcept { return reading_; }

    /// Makes the descriptor readable unless it is already. Any thread.
    void raise() noexcept {
        if (!raised_.exchange(true, std::memory_order_acq_rel)) write();
    }

    /// Takes the signal back. What a thread did before its `raise` is visible afterwards; a raise
    /// that comes later makes the descriptor readable again. The descriptor is emptied first: the
    /// other way round, a raise in between would be emptied away while it counts as pending.
    void lower() noexcept {
        empty();
        lower_edge();
    }

    /// The same for those who learn of every write as an edge and never read.
    void lower_edge() noexcept { raised_.exchange(false, std::memory_order_acq_rel); }

  private:
    void write() noexcept;
    void empty() noexcept;

    int reading_ = -1;
    int writing_ = -1;
    std::atomic<bool> raised_ = false;
};

}  // namespace upcall
