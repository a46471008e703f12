// The inside of the simulated kernel: clock, events, descriptors, names, files.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <upcall/driver/sim_kernel.hpp>

#include "event_queue.hpp"
#include "links.hpp"
#include "node.hpp"
#include "object.hpp"
#include "request.hpp"

namespace upcall::sim {

class sim_driver;

class machine {
  public:
    machine(const sim_options& chosen_options, choices chosen);
    machine(const machine&) = delete;
    machine& operator=(const machine&) = delete;

    sim_options options;
    choices choice;

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
    /// The same for nobody. False: there is no event.
    bool pass_time();
    /// Any thread.
    void woken() noexcept;
    void all_are_run(bool really) noexcept { all_are_run_ = really; }
    /// Makes the poll in progress, or the next one that would wait, return.
    void interrupt() noexcept { interrupted_ = true; }
    bool take_interrupt() noexcept { return std::exchange(interrupted_, false); }

    // ---- computers --------------------------------------------------------------------------

    node& add_node();
    node& at(sim_host which) noexcept { return *nodes_[static_cast<std::size_t>(which)]; }
    std::size_t nodes() const noexcept { return nodes_.size(); }
    /// Which computer has that address, seen from `from`; null when none has.
    node* owner_of(const node& from, const address& where) noexcept;
    /// Whether a packet would come through.
    bool reaches(const node& from, const node& to) const;
    /// The links between computers; those who use them are told by `tell_of`.
    links lines;
    void mend(const node& from, const node& to);
    void cut(const node& from, const node& to);
    void end_faults();

    /// Ends the program that runs on `which`: all that it waits for is given up. With `kernel_too`
    /// the memory goes as well, and nobody is told.
    void end_program(node& which, bool kernel_too);
    void power_on(node& which);
    /// Counts an outcome that a program on `which` is about to get. True: the power failed instead.
    bool fails_now(node& which);

    std::size_t descriptors() const noexcept;
    /// What the programs on `which` wait for.
    std::vector<sim_waiting> waiting(const node& which) const;

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
    bool all_are_run_ = false;
    std::vector<std::unique_ptr<node>> nodes_;
    bool interrupted_ = false;
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
