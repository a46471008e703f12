// A system call's outcome as one number.
#pragma once

#include <cerrno>
#include <cstdint>

namespace upcall {

/// Calls until it is not interrupted; the value, or the negated errno.
template <class Call>
std::int64_t system_call(Call&& call) noexcept {
    for (;;) {
        const auto value = call();
        if (value >= 0) [[likely]]
            return static_cast<std::int64_t>(value);
        if (errno != EINTR) return -errno;
    }
}

}  // namespace upcall
