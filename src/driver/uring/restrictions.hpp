// What is left of a ring for the driver alone: the kernel refuses everything else.
#pragma once

#include "driver/uring/ring.hpp"

namespace upcall {

/// Restricts a ring that was opened and not yet enabled to what uring_driver uses, for good: other
/// opcodes and flags complete with EACCES, other register calls fail with it. 0, or -errno: the
/// kernel does not know restrictions (before 5.10).
int restrict_to_driver(ring& ring) noexcept;

}  // namespace upcall
