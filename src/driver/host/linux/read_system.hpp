// Reads what host_system says: kernel, processors, privileges, filters, container.
#pragma once

#include <upcall/driver/host.hpp>

#include "driver/host/linux/system_files.hpp"

namespace upcall::host_probe {

host_system read_system(const system_files& files);

/// Whether we are in a container, and what told so. Part of read_system.
void read_container(const system_files& files, host_system& system);

/// How many processors' worth of work the process can do: its affinity, cut by the cgroup's quota.
unsigned usable_processors(const host_system& system, const host_limits& limits) noexcept;

}  // namespace upcall::host_probe
