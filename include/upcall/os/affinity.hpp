// Which cores this process may use, and keeping a thread on one of them.
#pragma once

namespace upcall {

/// Cores that this thread may run on; at least 1. sched_getaffinity(2).
unsigned usable_cores() noexcept;

/// Keeps the calling thread on the `index`-th of the cores it may use. False: the system refused,
/// and the thread runs where it did.
bool pin_to_core(unsigned index) noexcept;

}  // namespace upcall
