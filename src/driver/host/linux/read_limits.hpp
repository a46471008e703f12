// Reads every limit of host_limits.
#pragma once

#include <upcall/driver/host_limits.hpp>

#include "driver/host/linux/system_files.hpp"

namespace upcall::host_probe {

host_limits read_limits(const system_files& files);

}  // namespace upcall::host_probe
