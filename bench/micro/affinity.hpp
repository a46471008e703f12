// Pins the calling thread to one processor; a host that has no such processor is left alone.
#pragma once

#include <sched.h>

namespace micro {

inline void pin_to(int processor) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<unsigned>(processor), &set);
    sched_setaffinity(0, sizeof set, &set);
}

}  // namespace micro
