// A program's main function: a loop, a task, and an orderly end.
//
//     int main() { return upcall::run(server()); }
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <upcall/driver/select.hpp>
#include <upcall/loop/loop.hpp>
#include <upcall/loop/watchdog.hpp>
#include <upcall/runtime/deadlock.hpp>
#include <upcall/task/scope.hpp>
#include <upcall/task/task.hpp>

namespace upcall {

/// How a program runs, and how it ends. What is called is called on the loop's thread.
struct run_options {
    driver_choice driver{};
    loop_options loop{};
    /// SIGINT and SIGTERM ask the program to stop; a second one cancels at once.
    bool handle_signals = true;
    /// How long after `stop` what still runs is cancelled. `stop` ends accepting and idle reads,
    /// not sleeps nor waits on channels, events and locks: what is still there when the grace is
    /// over is named in one line on standard error, by its tasks, and cancelled.
    duration grace = std::chrono::seconds(30);
    /// How long after that what was cancelled may take to end; what takes no waiting may end even
    /// with zero. A read from a file server that does not answer cannot be taken back: what is left
    /// then is told on standard error, with the names of the tasks whose operations are under way,
    /// and leaked together with its loop (see loop::close), and 1 is returned; memory that was lent
    /// to `main` is then not to be freed. Empty: `run` waits for as long as the kernel takes.
    std::optional<duration> close_grace{};
    /// Told when tasks wait for one another alone, so that the program will not go on by itself
    /// (see find_deadlock), once nothing has happened for a second. Empty: it is printed on
    /// standard error. With run_loops it is called on the loop's own thread.
    std::function<void(const deadlock&)> deadlocked{};
    /// Watches for handlers that keep a loop from everything else, on a thread per loop. Empty: no
    /// watching.
    std::optional<watchdog_options> watch{};
    /// Told which driver was chosen for a loop, once it is made; may be empty. With run_loops it is
    /// called for each, on that loop's own thread, one at a time.
    std::function<void(unsigned index, const selection_report&)> chosen{};
};

/// Runs `main` on a loop of its own, on this thread, until it has ended with everything it
/// spawned. Returns 0; 1 when an exception left it, which is printed to standard error with the
/// name of the task that it left first, or no loop could be made; with an `int` task, its value.
/// An exception that a future or child_task::join handed on is told of the task that took it there.
/// Called on a thread that runs a loop, inside a task say, it is refused: that is printed
/// (errc::would_deadlock), `main` is destroyed without having started, and 1 returned.
int run(task<> main, const run_options& options = {});
int run(task<int> main, const run_options& options = {});

/// A loop over the driver that `choice` names, on this thread; `report` is filled in, also on
/// error. Errors: those of make_driver; not_enough_memory.
result<std::unique_ptr<loop>> make_loop(const driver_choice& choice = {}, loop_options options = {},
                                        selection_report* report = nullptr);

/// Runs `main(index)` on each of `count` loops, one per thread, until all have ended; index 0 runs
/// on the calling thread. 0 means one per core this process may use. A signal, or the first
/// exception, stops them all; also one that `main` throws instead of making a task. Threads are
/// pinned to one core each when there are as many cores. A loop whose driver is refused on its own
/// thread falls back as `choice` says. Refused inside a task, as `run` is.
int run_loops(unsigned count, std::function<task<>(unsigned index)> main,
              const run_options& options = {});

}  // namespace upcall
