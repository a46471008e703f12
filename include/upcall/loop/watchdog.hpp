// Stalls, named: what ran so long without a break that everything else on its loop had to wait.
//
//     upcall::watchdog watch(home, {.threshold = 10ms});
//
// A thread of its own looks at the loop now and then; the loop pays a few stores a turn for it, and
// a loop that is idle for a while is not looked at, so that nothing wakes up in an idle program.
// What is measured is the time that passes, whoever has the processor meanwhile: on a machine with
// more to do than processors, a stall may be somebody else's doing.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include <upcall/loop/loop.hpp>
#include <upcall/os/stack_capture.hpp>
#include <upcall/os/thread.hpp>

namespace upcall {

/// One handler that ran too long: a task between two of its waits, or a posted call.
struct stall {
    /// Empty: no task, or it could not be told (Windows; SIGURG is the program's own).
    std::string task;
    std::string spawned_in;  // file
    std::uint32_t spawned_at = 0;
    /// Who waits for that task, outwards.
    std::vector<std::string> awaited_by;
    /// How long it had run when it was noticed; it goes on.
    duration running{};
    /// Of the loop's thread, when it was noticed; empty where it could not be had.
    captured_stack stack;
    /// Stalls since the last report that were not reported.
    std::uint64_t not_told = 0;

    /// For people: several lines.
    std::string to_string() const;
};

/// What counts as a stall, and who is told.
struct watchdog_options {
    /// How long a handler may run.
    duration threshold = std::chrono::milliseconds(10);
    /// Between two reports; stalls in between are counted.
    duration least_gap = std::chrono::seconds(1);
    /// Called on the watchdog's thread; must not throw. Empty: standard error is told.
    std::function<void(const stall&)> told{};
};

/// Watches one loop. Lives on the loop's thread, shorter than the loop.
class watchdog {
  public:
    /// Starts watching. Throws std::system_error when there is no thread to be had, and
    /// std::bad_alloc.
    explicit watchdog(loop& home, watchdog_options options = {});
    watchdog(const watchdog&) = delete;
    watchdog& operator=(const watchdog&) = delete;
    /// Waits for its thread, and so for a call of `told`.
    ~watchdog();

    /// Handlers that were seen past the threshold, reported or not. Each of at least one and a half
    /// thresholds is seen. Any thread.
    std::uint64_t stalls() const noexcept { return stalls_.load(std::memory_order_relaxed); }

  private:
    struct activity : loop_activity {
        watchdog* owner = nullptr;
    };

    void watch() noexcept;
    bool look() noexcept;
    void tell(duration running) noexcept;

    loop& home_;
    const watchdog_options options_;
    const thread_identity thread_;
    os_thread watcher_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool ended_ = false;
    activity activity_;
    std::atomic<std::uint64_t> stalls_{0};

    // The watchdog's thread:
    std::uint64_t seen_ = 0;   // the handler that ran at the last look; 0: none
    bool counted_ = false;     // that one has been
    time_point seen_since_{};  // when it was seen first
    time_point told_at_{};     // the last report
    bool told_once_ = false;
    std::uint64_t not_told_ = 0;
};

/// For tests: `expect_no_stall quick(home); ...; EXPECT_TRUE(quick) << quick.what();`
class expect_no_stall {
  public:
    explicit expect_no_stall(loop& home, duration threshold = std::chrono::milliseconds(10));
    /// Whether no handler has run past the threshold so far.
    explicit operator bool() const noexcept { return watch_.stalls() == 0; }
    /// The first stall, in words; empty if there was none.
    std::string what() const;

  private:
    mutable std::mutex mutex_;
    std::string first_;
    watchdog watch_;
};

}  // namespace upcall
