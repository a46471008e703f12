// How long to wait, as the kernel wants to be told.
#pragma once

#include <algorithm>
#include <ctime>

#include <upcall/base/clock.hpp>

namespace upcall {

/// At most some days: kqueue on some systems and epoll_wait take no more, and who waits for longer
/// finds that it was early and waits again.
class wait_time {
  public:
    static constexpr std::chrono::seconds longest{1'000'000};

    explicit wait_time(time_point deadline) noexcept : forever_(deadline == never) {
        if (forever_) return;
        // Any moment in the past will do for "only look", the epoch of the clock included.
        const auto asked = deadline <= time_point{} ? duration::zero() : deadline - clock::now();
        const auto left = std::min<duration>(asked, longest);
        if (left <= duration::zero()) return;
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
        native_.tv_sec = static_cast<time_t>(seconds.count());
        native_.tv_nsec = static_cast<long>((left - seconds).count());
    }

    /// Null: without end.
    const timespec* get() const noexcept { return forever_ ? nullptr : &native_; }

    /// Rounded up: a wait that ends early would be repeated at once, many times.
    int milliseconds() const noexcept {
        if (forever_) return -1;
        return static_cast<int>(native_.tv_sec * 1000 + (native_.tv_nsec + 999'999) / 1'000'000);
    }

  private:
    bool forever_;
    timespec native_{};
};

}  // namespace upcall
