// Time as the runtime sees it: monotonic, in nanoseconds, read from the driver. The simulator's
// virtual time has the same type.
#pragma once

#include <chrono>

namespace upcall {

using clock = std::chrono::steady_clock;
using time_point = std::chrono::time_point<clock, std::chrono::nanoseconds>;
using duration = std::chrono::nanoseconds;

/// A moment that never comes: a wait without a deadline.
inline constexpr time_point never = time_point::max();

/// `start` + `length` without overflow: huge lengths mean `never`, negative ones mean at once.
constexpr time_point saturating_add(time_point start, duration length) noexcept {
    if (length <= duration::zero()) return start;
    return length >= never - start ? never : start + length;
}

}  // namespace upcall
