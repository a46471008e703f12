// The clocks that are read while measuring.
#pragma once

#include <sys/resource.h>

#include <ctime>

namespace upcall_lab {

inline double clock_ns(clockid_t which) noexcept {
    timespec now{};
    ::clock_gettime(which, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

/// Time that passes.
inline double now_ns() noexcept { return clock_ns(CLOCK_MONOTONIC); }
/// Processor time of this process, all its threads.
inline double cpu_ns() noexcept { return clock_ns(CLOCK_PROCESS_CPUTIME_ID); }

/// Looks at the clock until then: sleeping would be late by a timer and a switch.
inline void spin_until(double moment_ns) noexcept {
    while (now_ns() < moment_ns) {
    }
}

inline double context_switches(const rusage& used) noexcept {
    return static_cast<double>(used.ru_nvcsw) + static_cast<double>(used.ru_nivcsw);
}

}  // namespace upcall_lab
