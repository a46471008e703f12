// The limits that control groups put on this process.
#pragma once

#include <upcall/driver/host_limits.hpp>

#include "driver/host/linux/system_files.hpp"

namespace upcall::host_probe {

/// Fills in the cgroup_* members: of version 2 or 1, whichever governs, the tightest limit between
/// this process's group and the root. Source: cgroups(7).
void read_cgroup_limits(const system_files& files, host_limits& limits);

}  // namespace upcall::host_probe
