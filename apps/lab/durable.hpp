// What it costs to make a small write durable, by method.
#pragma once

#include <string>
#include <vector>

#include "lab/child.hpp"

namespace upcall_lab {

/// "fsync", "fdatasync", "O_DSYNC", …
const std::vector<std::string>& durable_methods();

/// Overwrites blocks of `file`, which has so many, each made durable by the method, for that time.
/// Nanoseconds for each. Throws lab_error.
samples write_durably(const std::string& method, int file, unsigned blocks, double seconds);

}  // namespace upcall_lab
