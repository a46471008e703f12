// A second thread that posts on request, for the benchmarks of posting to a loop: it spins rather
// than sleeps, so that what is measured is the loop being posted to.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <utility>

#include "affinity.hpp"

namespace micro {

template <typename PostOne>
class poster {
  public:
    // `post_one` is called on the poster's thread.
    explicit poster(PostOne post_one)
        : post_one_(std::move(post_one)), thread_([this] { work(); }) {}
    ~poster() {
        over_.store(true, std::memory_order_release);
        thread_.join();
    }
    poster(const poster&) = delete;
    poster& operator=(const poster&) = delete;

    // Has `count` more posted; returns at once.
    void ask(std::size_t count) { wanted_.fetch_add(count, std::memory_order_release); }

  private:
    void work() {
        pin_to(1);
        std::size_t done = 0;
        while (!over_.load(std::memory_order_acquire))
            for (const auto wanted = wanted_.load(std::memory_order_acquire); done < wanted; ++done)
                post_one_();
    }

    PostOne post_one_;
    alignas(64) std::atomic<std::size_t> wanted_{0};
    alignas(64) std::atomic<bool> over_{false};
    std::thread thread_;  // last: it uses all of the above
};

// How long what is posted to a sleeping loop takes to be handled. `post_one` posts, and `handled`
// is counted up when the loop has handled it. Before each, the loop is left the time to fall
// asleep.
class wake_clock {
  public:
    explicit wake_clock(const std::atomic<std::size_t>& handled) : handled_(handled) {}

    template <typename PostOne>
    void time(PostOne&& post_one) {
        const auto asleep = clock::now() + std::chrono::microseconds(50);
        while (clock::now() < asleep) {
        }
        const auto before = handled_.load(std::memory_order_acquire);
        const auto start = clock::now();
        post_one();
        while (handled_.load(std::memory_order_acquire) == before) {
        }
        nanoseconds_.fetch_add((clock::now() - start).count(), std::memory_order_relaxed);
    }

    // Since the last call; the latest one may be counted next time.
    double taken() {
        return static_cast<double>(nanoseconds_.exchange(0, std::memory_order_relaxed));
    }

  private:
    using clock = std::chrono::steady_clock;

    const std::atomic<std::size_t>& handled_;
    std::atomic<std::int64_t> nanoseconds_{0};
};

}  // namespace micro
