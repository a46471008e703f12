// Small words for sentences about the host.
#pragma once

#include <cstdint>
#include <string>

#include <upcall/driver/host_limits.hpp>

namespace upcall::host_probe {

/// "EPERM"; "error 4711" for one without a name here.
std::string error_name(int error);
/// "64 KiB", "8 MiB", "1536 bytes": exact, in the largest fitting unit.
std::string in_bytes(std::uint64_t amount);
/// "1024", "unlimited" or "unknown".
std::string in_words(const quantity& amount);
std::string bytes_in_words(const quantity& amount);

}  // namespace upcall::host_probe
