// What io_uring can do on this host, bit by bit, as found by asking the kernel and by trying.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace upcall {

/// What is known about one feature: not every kernel can be asked about everything.
enum class presence : std::uint8_t { unknown, absent, present };

/// A set of numbered features, each present, absent or unknown.
struct capability_set {
    static constexpr std::size_t size = 128;

    std::bitset<size> known;    // the kernel told, or was tried
    std::bitset<size> offered;  // and has it

    /// The state of number `index`; unknown past the end.
    presence operator[](std::size_t index) const noexcept {
        if (index >= size || !known[index]) return presence::unknown;
        return offered[index] ? presence::present : presence::absent;
    }
    /// Notes what was found out about `index`; past the end nothing.
    void set(std::size_t index, bool is_there) noexcept {
        if (index >= size) return;
        known[index] = true;
        offered[index] = is_there;
    }
};

/// The functional trials a ring is put through, in this order.
enum class ring_test : std::uint8_t {
    enable,             // register: a disabled ring is enabled by its own thread
    round_trip,         // enter: a NOP goes in and comes out
    cancel,             // a pending receive is cancelled, once
    multishot_receive,  // one submission, two messages, buffers from a provided ring
    message,            // MSG_RING from a second ring
    registered_ring,    // the ring's descriptor is registered, and entered by its index
    restrictions,  // a second ring refuses what it was restricted from (uring_options::hardened)
};
inline constexpr std::size_t ring_test_count = 7;

/// How one trial went.
struct ring_test_result {
    enum class outcome : std::uint8_t { not_run, passed, failed };
    outcome state = outcome::not_run;
    /// errno of the failure; 0 if the kernel answered, but wrongly (or not in time).
    int error = 0;
};

/// Everything found out about io_uring. A plain value; bit numbers are the kernel's.
struct ring_facts {
    /// False where trying was unsafe: a seccomp filter is in force, and no child process could be
    /// made to try in.
    bool tried = false;
    /// errno of IORING_REGISTER_QUERY; 0 if the kernel answered (6.18 and later).
    int query_error = 0;
    /// errno of the last attempt to create a ring; 0 if there was a ring.
    int setup_error = 0;
    /// errno of IORING_REGISTER_PROBE; 0 if the kernel answered.
    int probe_error = 0;
    /// Submission entries of the ring that could be created. Less than `entries_asked` means that
    /// memory was short (RLIMIT_MEMLOCK, memory cgroup).
    std::uint32_t entries = 0;
    static constexpr std::uint32_t entries_asked = 256;
    /// IORING_SETUP_* of that ring: the best profile the kernel took.
    std::uint32_t setup_flags = 0;
    /// The signal that ended the trial process, SIGSYS from a seccomp filter as a rule; 0: none.
    int killed_by = 0;
    /// The call it was in: "io_uring_setup", "io_uring_enter", "io_uring_register", or empty.
    std::array<char, 24> killed_in{};

    capability_set setup;                // by bit of IORING_SETUP_*
    capability_set features;             // by bit of IORING_FEAT_*
    capability_set enter;                // by bit of IORING_ENTER_*
    capability_set sqe;                  // by bit of IOSQE_*
    capability_set opcodes;              // by IORING_OP_*
    capability_set register_operations;  // by IORING_REGISTER_*

    std::array<ring_test_result, ring_test_count> tests{};

    const ring_test_result& operator[](ring_test which) const noexcept {
        return tests[static_cast<std::size_t>(which)];
    }
    /// Whether the ring can be created as the `uring` driver needs it, DEFER_TASKRUN (6.1), and
    /// its enter and register calls work: enable, round_trip and cancel have passed.
    bool is_usable() const noexcept;
};

/// One feature with its name and history.
struct capability {
    /// The kernel's name, without its prefix: "DEFER_TASKRUN", "RECV".
    std::string_view name;
    /// The kernel that brought it: "6.1".
    std::string_view since;
    presence state = presence::unknown;
};

/// The named features of each kind, in the kernel's order. Names live as long as the program.
std::vector<capability> ring_setup_flags(const ring_facts& ring);
std::vector<capability> ring_features(const ring_facts& ring);
std::vector<capability> ring_enter_flags(const ring_facts& ring);
std::vector<capability> ring_opcodes(const ring_facts& ring);
std::vector<capability> ring_register_operations(const ring_facts& ring);

/// "round trip", "multishot receive", …
std::string_view name_of(ring_test which) noexcept;

}  // namespace upcall
