// One host of a world: its program, and the loop that runs it while it has power.
#pragma once

#include <memory>
#include <string>

#include <upcall/runtime/program.hpp>
#include <upcall/sim/world.hpp>

namespace upcall::sim {

class sim_driver;

class computer {
  public:
    computer(sim_kernel& kernel, std::string name, world::program main, bool serves)
        : kernel_(&kernel),
          id_(kernel.add_host()),
          name_(std::move(name)),
          main_(std::move(main)),
          serves_(serves) {}
    computer(const computer&) = delete;
    computer& operator=(const computer&) = delete;
    ~computer() { clear_away(); }

    const std::string& name() const noexcept { return name_; }
    sim_host id() const noexcept { return id_; }
    bool serves() const noexcept { return serves_; }
    unsigned starts() const noexcept { return starts_; }

    /// Whether there is a program, be it lost already.
    bool runs() const noexcept { return running_ != nullptr; }
    /// Its main task ended by itself.
    bool has_ended() const noexcept { return ended_; }
    /// Power or program went away under it.
    bool is_lost() const noexcept { return runs() && (killed_ || !kernel_->is_on(id_)); }
    bool is_done() const noexcept { return running_->tasks().size() == 0; }

    void start();
    void turn();
    /// It waits in its poll, and nothing has come for it.
    bool sleeps() const noexcept;
    void kill();
    /// When one of its own tasks took away its power: cancels all of them at once, and not only
    /// when the turn is over.
    void cancel_from_inside();
    /// Asks its main task to finish, once.
    void stop();
    /// After `is_done`: ends what is left. Returns what left the main task.
    std::exception_ptr finish();
    /// Takes its program away, and what is left of it. False: it does not end though every one of
    /// its operations has, and is leaked.
    bool clear_away();

    /// Its tasks that wait for no task below them, and its operations in flight.
    std::string who_waits() const;

    bool restarts = false;

  private:
    void leak();

    sim_kernel* kernel_;
    sim_host id_;
    std::string name_;
    world::program main_;
    bool serves_;
    bool ended_ = false;
    bool killed_ = false;
    bool stopping_ = false;
    unsigned starts_ = 0;
    std::unique_ptr<loop> home_;
    const sim_driver* via_ = nullptr;  // of that loop
    std::unique_ptr<upcall::program> running_;
};

}  // namespace upcall::sim
