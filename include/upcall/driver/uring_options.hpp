// Options of the io_uring driver: sizes, and a switch for every optional feature so that each can
// be left out on purpose, as a kernel without it would.
#pragma once

#include <cstdint>

namespace upcall {

struct uring_options {
    /// Submissions that fit before the kernel must be entered in mid-turn.
    std::uint32_t submission_entries = 256;
    /// Completions that fit before the kernel has to keep them aside.
    std::uint32_t completion_entries = 4096;

    bool single_issuer = true;
    bool defer_taskrun = true;
    bool submit_all = true;
    bool no_sqarray = true;
    bool registered_ring = true;
    bool no_iowait = true;
    bool registered_files = true;
    bool registered_buffers = true;
    bool provided_buffers = true;
    bool multishot_accept = true;
    bool multishot_receive = true;

    /// The ring itself refuses, from its start to its end, whatever this driver does not ask of it:
    /// opcodes, flags and register calls (IORING_REGISTER_RESTRICTIONS, Linux 5.10). Code that gets
    /// hold of the ring can then open, connect or pass on nothing through it that the driver could
    /// not. A host that cannot do that has no such driver.
    bool hardened = false;
};

}  // namespace upcall
