// Options of the io_uring driver: sizes, and a switch for every optional feature so that each can
// be left out on purpose, as a kernel without it would.
#pragma once

#include <cstdint>

namespace upcall {

/// Every switch says what the driver may use; what a kernel does not have is not used anyway, and
/// done another way.
struct uring_options {
    /// Submissions that fit before the kernel must be entered in mid-turn.
    std::uint32_t submission_entries = 256;
    /// Completions that fit before the kernel has to keep them aside.
    std::uint32_t completion_entries = 4096;

    bool single_issuer = true;       // IORING_SETUP_SINGLE_ISSUER, Linux 6.0
    bool defer_taskrun = true;       // IORING_SETUP_DEFER_TASKRUN, 6.1; not in an embedded loop
    bool submit_all = true;          // IORING_SETUP_SUBMIT_ALL, 5.18
    bool no_sqarray = true;          // IORING_SETUP_NO_SQARRAY, 6.6
    bool registered_ring = true;     // IORING_REGISTER_RING_FDS, 5.18
    bool no_iowait = true;           // IORING_ENTER_NO_IOWAIT, 6.15
    bool registered_files = true;    // descriptors that are used often get a place in a table
    bool registered_buffers = true;  // see io/registered_buffer.hpp
    bool provided_buffers = true;    // IORING_REGISTER_PBUF_RING, 5.19; else: poll, then receive
    bool multishot_accept = true;    // IORING_ACCEPT_MULTISHOT, 5.19
    bool multishot_receive = true;   // IORING_RECV_MULTISHOT, 6.0

    /// The ring itself refuses, from its start to its end, whatever this driver does not ask of it:
    /// opcodes, flags and register calls (IORING_REGISTER_RESTRICTIONS, Linux 5.10). Code that gets
    /// hold of the ring can then open, connect or pass on nothing through it that the driver could
    /// not. A host that cannot do that has no such driver.
    bool hardened = false;
};

}  // namespace upcall
