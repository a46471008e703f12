// Runs the trials so that a seccomp filter that kills does not kill the program.
#pragma once

#include "driver/host/linux/raw_report.hpp"

namespace upcall::host_probe {

/// Tries every interface. With `guard`, in a child process: what kills it is noted, and a new child
/// goes on with the next interface. If no child can be made, only the interfaces that every filter
/// of a working program allows are tried, in this process; the others stay untried.
raw_report try_everything(bool guard);

}  // namespace upcall::host_probe
