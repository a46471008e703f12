// A loop with a program on it: its tasks, and the ways to end them from anywhere.
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <memory>

#include <upcall/loop/close_report.hpp>
#include <upcall/loop/loop.hpp>
#include <upcall/runtime/deadlock.hpp>
#include <upcall/task/scope.hpp>

namespace upcall {

/// Ends a program from any thread, for as long as anybody holds it.
class program_control {
  public:
    explicit program_control(const std::shared_ptr<mailbox>& box) noexcept;

    /// Asks the program to stop, or cancels it. Does nothing once it has ended. Allocates nothing.
    static void stop(const std::shared_ptr<program_control>& of) noexcept;
    static void cancel(const std::shared_ptr<program_control>& of) noexcept;
    /// As `cancel`, because the grace period is over; says on standard error who was held on to.
    static void end_grace(const std::shared_ptr<program_control>& of) noexcept;

  private:
    friend class program;
    /// Stays raised once it was posted, so it is posted once.
    struct wish final : ready_node {
        void (*act)(scope& tasks) noexcept = nullptr;
        std::atomic<bool> posted{false};
        std::shared_ptr<program_control> of;  // while it is in the mailbox
    };
    static void post(const std::shared_ptr<program_control>& of, wish& what) noexcept;

    /// Holds nothing: who does hold a loop's box is somebody who may end a wait (find_deadlock).
    std::weak_ptr<mailbox> box_;
    wish stop_;
    wish cancel_;
    wish end_grace_;
    scope* tasks_ = nullptr;  // the loop's thread only
};

/// One line on standard error that names tasks which still run below `top`, a few of them; none if
/// there are none. Allocates nothing.
void tell_who_is_left(context& top) noexcept;

/// Prints it on standard error.
void tell_deadlock(const deadlock& found);

/// Lives on the loop's thread, shorter than the loop.
class program {
  public:
    /// `options` are those of the scope of its tasks. Throws std::bad_alloc.
    explicit program(loop& home, scope_options options = {})
        : home_(home),
          tasks_(home.root(), options),
          services_(home.background(), {.policy = on_failure::supervise,
                                        .limit = 0,
                                        .failed = nullptr,
                                        .in_class = nullptr}),
          control_(std::make_shared<program_control>(home.remote())) {
        control_->tasks_ = &tasks_;
        on_deadlock(tell_deadlock);
    }
    program(const program&) = delete;
    program& operator=(const program&) = delete;
    /// Cancels what still runs, and waits for it.
    ~program();

    /// Where its tasks are spawned; `run` waits for them.
    scope& tasks() noexcept { return tasks_; }
    /// Tasks that serve the others, and are cancelled when those have ended.
    scope& services() noexcept { return services_; }
    /// For other threads; may be kept as long as they like.
    const std::shared_ptr<program_control>& control() const noexcept { return control_; }

    /// Who is told when the tasks wait for one another alone and nothing has happened for `after`;
    /// nobody, with an empty function. At first it is standard error, after a second.
    void on_deadlock(std::function<void(const deadlock&)> told,
                     duration after = std::chrono::seconds(1));

    /// Runs the loop until every task has ended. Returns the first exception that left one.
    std::exception_ptr run();
    /// The same; but once the tasks are cancelled it returns after `close_grace` whether they have
    /// ended or not.
    std::exception_ptr run(duration close_grace);

    /// Ends a program and its loop, and waits until `close_grace` from now at most. What the kernel
    /// still holds then is leaked with both; see loop::close, whose report this is.
    static close_report close(std::unique_ptr<program> running, std::unique_ptr<loop> home,
                              duration close_grace);

  private:
    loop& home_;
    scope tasks_;
    scope services_;
    std::shared_ptr<program_control> control_;
    std::function<void(const deadlock&)> deadlocked_;
};

}  // namespace upcall
