// What a loop still had when its time to close was over.
//
//     const close_report left = loop::close(std::move(home), 2s);
//     if (left.leaked) std::fprintf(stderr, "%s\n", left.to_string().c_str());
//
// A read from a file server that does not answer, or a call on a pool's thread, cannot be taken
// back, and the kernel may write to its buffer at any time: so nothing of such a loop is freed.
#pragma once

#include <cstddef>
#include <source_location>
#include <string>
#include <vector>

#include <upcall/loop/loop.hpp>

namespace upcall {

/// An operation that had not ended, and the task that awaits it.
struct unfinished {
    std::string task;                 // its name
    std::source_location spawned_at;  // of that task
    /// `outside`: the kernel has it, a thread of the pool, or a timer that a shield keeps. All else
    /// is a task of this loop that did not end though it was cancelled.
    waits_for awaits = waits_for::outside;
};

/// From loop::close. A value.
struct close_report {
    static constexpr std::size_t listed_max = 64;

    /// The first `listed_max` of them, those of tasks before those of the loop's own services.
    std::vector<unfinished> operations;
    /// How many further ones there were.
    std::size_t more = 0;
    /// Tasks that had not ended, whether or not they await an operation.
    std::size_t tasks = 0;
    /// Streams, listeners and files that were neither closed nor released.
    std::size_t handles = 0;
    /// Whether anything was left, a scope for one, and the loop kept for it. Else it was freed.
    bool leaked = false;

    /// For people: one line. Empty if nothing was left.
    std::string to_string() const;
};

}  // namespace upcall
