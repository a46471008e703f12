// The inside of the simulated kernel: clock, events, descriptors, names, files.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include <upcall/driver/sim_kernel.hpp>

#include "event_queue.hpp"
#include "file_system.hpp"
#include "network.hpp"
#include "object.hpp"
#include "request.hpp"

namespace upcall::sim {

class sim_driver;

class machine {
  public:
    machine(const sim_options& chosen_options, choices chosen);
    machine(const machine&) = delete;
    machine& operator=(const machine&) = delete;

    const sim_options options;
    choices choice;
    network names;
    file_system files;

    // ---- time and events --------------------------------------------------------------------

    time_point now() const noexcept { return now_; }
    void plan(time_point when, std::shared_ptr<event_target> target, std::uint32_t what,
              std::uint64_t argument = 0);
    void plan_after(duration delay, std::shared_ptr<event_target> target, std::uint32_t what,
                    std::uint64_t argument = 0) {
        plan(saturating_add(now_, delay), std::move(target), what, argument);
    }
    /// Lets happen what is due by now.
    void fire_due();
    /// A moment passes in which nobody waits.
    void spend(duration length) noexcept { now_ = saturating_add(now_, length); }

    // ---- loops ------------------------------------------------------------------------------

    void attach(sim_driver& driver);
    void detach(sim_driver& driver) noexcept;
    /// A driver polls: any other that was last is no longer alone.
    void polls(const sim_driver& driver) noexcept;
    /// `driver` has nothing to do. Returns whether time may move: every loop sleeps, or only this
    /// one is being run.
    bool falls_asleep(const sim_driver& driver) noexcept;
    /// Moves the clock to the next event or deadline and lets happen what is due; sleeps until
    /// some wake when there is neither. Called by a driver that may move time.
    void advance(const sim_driver& driver);
    /// Any thread.
    void woken() noexcept;

    // ---- descriptors ------------------------------------------------------------------------

    /// Names `made` by the lowest free number; EMFILE.
    result<native_handle> install(std::shared_ptr<object> made);
    bool full() const noexcept { return descriptors_.size() >= options.descriptors_max; }
    /// Null when nothing has that number.
    std::shared_ptr<object> find(native_handle native) const;
    void replace(native_handle native, std::shared_ptr<object> by);
    /// Removes and closes it. False: there is none.
    bool close(native_handle native);
    std::size_t descriptors() const noexcept { return descriptors_.size(); }

    std::uint64_t next_request() noexcept { return ++requests_; }
    std::uint64_t next_object() noexcept { return ++objects_; }

    // ---- what is observed -------------------------------------------------------------------

    void note(const sim_event& outcome) noexcept;
    std::uint64_t digest() const noexcept { return digest_; }
    std::uint64_t outcomes() const noexcept { return outcomes_; }

    void (*tracer)(void*, const sim_event&) noexcept = nullptr;
    void* tracer_argument = nullptr;
    void (*stalled)(void*) noexcept = nullptr;
    void* stalled_argument = nullptr;

  private:
    time_point next_stop(const sim_driver& driver) const noexcept;
    bool nobody_is_up(const sim_driver& driver) const noexcept;
    void sleep_until_woken(const sim_driver& driver);

    // An hour after the beginning, so that subtracting from the present is harmless.
    time_point now_{std::chrono::hours(1)};
    event_queue events_;
    std::vector<sim_driver*> drivers_;
    const sim_driver* last_sleeper_ = nullptr;
    bool alone_ = false;
    std::map<native_handle, std::shared_ptr<object>> descriptors_;
    std::set<native_handle> free_;  // numbers that were used before
    std::uint64_t requests_ = 0;
    std::uint64_t objects_ = 0;
    std::uint64_t digest_ = 0xcbf29ce484222325U;
    std::uint64_t outcomes_ = 0;

    // What other threads touch. Not std::atomic::wait: where there is no futex, as on Windows,
    // GCC 12's loses notifications.
    std::mutex sleep_;
    std::condition_variable awoken_;
};

}  // namespace upcall::sim
