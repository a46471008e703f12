// Turns error numbers into reasons, and reasons into sentences a person can act on. Pure functions
// of what was seen, so that tests can show them hosts that are not at hand.
#pragma once

#include <upcall/driver/host.hpp>

#include "driver/host/linux/raw_report.hpp"

namespace upcall::host_probe {

availability interpret_ring(const ring_facts& ring, const host_system& system,
                            const host_limits& limits);

/// Of an interface other than uring.
availability interpret_call(kernel_interface what, const call_result& result,
                            const host_system& system, const host_limits& limits);

/// What an error number of one call means on this host.
struct verdict {
    reason code = reason::broken;
    std::string why;
    std::string advice;
};

/// `calls` names what was called, for the sentence: "io_uring_setup".
verdict explain_error(const std::string& calls, bool is_ring, int error, const host_system& system,
                      const host_limits& limits);
verdict explain_killed(const std::string& calls, bool is_ring, int signal,
                       const host_system& system);

}  // namespace upcall::host_probe
