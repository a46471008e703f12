// Limits of this process that a server runs into.
#pragma once

#include <cstddef>

namespace upcall {

/// Raises the limit on open descriptors as far as this process may (RLIMIT_NOFILE, soft to hard),
/// and returns what it is now.
std::size_t raise_descriptor_limit() noexcept;

}  // namespace upcall
