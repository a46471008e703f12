// A latch over a mutex and a condition variable. The one of libstdc++ 12 loses wake-ups where the
// platform has no futex: threads then wait at it for ever.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace upcall::testing {

class latch {
  public:
    explicit latch(std::ptrdiff_t expected) : missing_(expected) {}

    void count_down() {
        // Notified under the lock: whoever waits may destroy the latch as soon as it is open.
        const std::lock_guard lock(mutex_);
        if (--missing_ == 0) opened_.notify_all();
    }
    void wait() {
        std::unique_lock lock(mutex_);
        opened_.wait(lock, [&] { return missing_ <= 0; });
    }
    void arrive_and_wait() {
        count_down();
        wait();
    }

  private:
    std::mutex mutex_;
    std::condition_variable opened_;
    std::ptrdiff_t missing_;
};

}  // namespace upcall::testing
