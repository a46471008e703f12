// A second thread that posts on request, for the benchmarks of posting to a loop: it spins rather
// than sleeps, so that what is measured is the loop being posted to.
#pragma once

#include <atomic>
#include <cstddef>
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

}  // namespace micro
