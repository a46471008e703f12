// Deadlocks of tasks, named instead of suffered.
//
// A loop on which no operation waits for a kernel, a timer or another loop, and on which tasks wait
// for one another, will not go on by itself. `program::run` and `run` look for that when nothing
// has happened for a second, so it costs nothing while there is work.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <upcall/loop/loop.hpp>

namespace upcall {

/// One task that waits, or an operation that was submitted and whose future is awaited; for what.
struct deadlocked_task {
    std::string name;
    /// Or submitted. Line 0 and no file for the main task of `run` and of a simulated host.
    std::source_location spawned_at;
    waits_for awaits = waits_for::event;
    /// Who has that: holds the mutex, is the child that is to end, or what was submitted for the
    /// future. Empty if nobody can tell.
    std::string held_by;
};

/// From find_deadlock. A value; empty when there is none.
struct deadlock {
    /// The first `listed_max` of them.
    std::vector<deadlocked_task> tasks;
    /// How many further ones there were.
    std::size_t more = 0;
    /// Names of tasks each of which waits for the next, and the last for the first. Empty if no
    /// such circle was found: they wait for something that nobody is left to give.
    std::vector<std::string> cycle;

    static constexpr std::size_t listed_max = 16;

    explicit operator bool() const noexcept { return !tasks.empty(); }
    /// For people: several lines.
    std::string to_string() const;
    /// Those of `cycle` in one line, the first again at the end: "a" -> "b" -> "a".
    std::string circle() const;
};

/// Whether the tasks of `home` wait for one another and for nothing else. Call it on the loop's
/// thread while nothing is ready, or from `loop::on_quiet`. It finds none as long as
///   - an operation waits for the kernel, a timer or another loop. Those that wait for a signal in
///     the background, as `run` does, are not counted;
///   - somebody holds `loop::remote()`, a sender or receiver of a loop_channel, a remote_scope, or
///     a future of an operation of this loop, be it in a variable of a task that waits: whoever
///     has a future can cancel it. Not counted are those that a task, a callback or `then` of this
///     loop awaits, and those that a thread is blocked by in `get`: those can end nothing;
///   - a call was posted that has not run.
/// What it cannot know of is a thread that is about to call `loop::post` through a plain reference.
/// Throws std::bad_alloc.
deadlock find_deadlock(loop& home);

}  // namespace upcall
