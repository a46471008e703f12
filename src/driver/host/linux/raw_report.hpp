// What probing brings back before anybody has thought about it: error numbers and bits. Trivially
// copyable, so that a child process can leave it in shared memory.
#pragma once

#include <array>
#include <type_traits>

#include <upcall/driver/host.hpp>

namespace upcall::host_probe {

struct call_result {
    bool tried = false;
    bool works = false;
    /// errno of the call that failed; 0 with `works` false: it answered, but wrongly.
    int error = 0;
    /// The signal that ended the trial process; 0: none.
    int killed_by = 0;
};

struct raw_report {
    ring_facts ring;
    /// By kernel_interface; that of `uring` is unused.
    std::array<call_result, kernel_interface_count> calls{};
    /// The index of the stage at work, for whoever picks up after a killed child.
    unsigned stage = 0;

    call_result& operator[](kernel_interface which) noexcept {
        return calls[static_cast<std::size_t>(which)];
    }
    const call_result& operator[](kernel_interface which) const noexcept {
        return calls[static_cast<std::size_t>(which)];
    }
};
static_assert(std::is_trivially_copyable_v<raw_report>);

}  // namespace upcall::host_probe
