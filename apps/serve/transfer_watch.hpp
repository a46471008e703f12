// Tells a peer that takes a response slowly from one that has stopped, or nearly so.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace upcall_serve {

// The times are of any one steady clock.
class transfer_watch {
  public:
    using time = std::chrono::steady_clock::time_point;
    using duration = std::chrono::steady_clock::duration;

    // A peer is given up when it takes nothing for `stall_max`, or, over a window of that length
    // in which it does take something, less than `rate_min` bytes per second (0: any will do).
    transfer_watch(time now, duration stall_max, std::uint64_t rate_min)
        : window_(stall_max),
          bytes_min_(rate_min * seconds_in(stall_max)),
          last_progress_(now),
          window_began_(now) {}

    // The peer took some bytes.
    void progressed(std::uint64_t bytes, time now) {
        if (bytes == 0) return;
        last_progress_ = now;
        window_bytes_ += bytes;
        if (now - window_began_ < window_ || window_bytes_ < bytes_min_) return;
        window_began_ = now;
        window_bytes_ = 0;
    }

    // When the peer is to be given up, if it takes nothing until then.
    time deadline() const {
        const time stalled = last_progress_ + window_;
        // A window that has its bytes is good until the next one could have gone by in vain,
        // and that is later than the stall.
        return window_bytes_ >= bytes_min_ ? stalled : std::min(stalled, window_began_ + window_);
    }
    bool expired(time now) const { return now >= deadline(); }

  private:
    static std::uint64_t seconds_in(duration length) {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(length).count();
        return static_cast<std::uint64_t>(std::max<std::int64_t>(seconds, 1));
    }

    duration window_;
    std::uint64_t bytes_min_;
    time last_progress_;
    time window_began_;
    std::uint64_t window_bytes_ = 0;
};

}  // namespace upcall_serve
