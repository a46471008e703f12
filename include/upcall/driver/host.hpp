// What this host offers, found by probing it, never guessed from a version number.
//
//     std::shared_ptr<const upcall::host> seen = upcall::this_host();
//     if (!(*seen)[upcall::kernel_interface::uring].available)
//         std::cerr << (*seen)[upcall::kernel_interface::uring].why << '\n';
//     std::string name = upcall::choose_driver(*seen).name;
//
// Driver selection, tests and `upcall doctor` read the same facts. Everything here is a value;
// nothing throws but std::bad_alloc, and nothing is printed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <upcall/driver/host_limits.hpp>
#include <upcall/driver/host_ring.hpp>

namespace upcall {

/// The kernel interfaces for asynchronous I/O that upcall knows.
enum class kernel_interface : std::uint8_t {
    uring,
    epoll,
    poll,
    select,
    sigio,
    linux_aio,
    posix_aio,
    kqueue,
    iocp,
};
inline constexpr std::size_t kernel_interface_count = 9;

/// "uring", "epoll", "linux_aio", …: as UPCALL_DRIVER and --driver spell it.
std::string_view name_of(kernel_interface which) noexcept;

/// Why an interface is there or not; stable, for programs. `availability::why` is for people.
enum class reason : std::uint8_t {
    works,
    not_on_this_system,    // belongs to another operating system
    not_in_kernel,         // too old, or built without it
    emulated_kernel,       // gVisor and the like do not offer it
    refused_by_sysctl,     // kernel.io_uring_disabled
    refused_by_seccomp,    // a filter answers in the kernel's place
    killed_by_seccomp,     // a filter kills whoever tries
    refused_by_policy,     // a security module
    refused,               // no permission, and nothing tells by whom
    half_refused,          // created, but a call that it needs is refused
    out_of_locked_memory,  // RLIMIT_MEMLOCK
    out_of_memory,
    out_of_descriptors,  // RLIMIT_NOFILE, or fs.file-max
    exhausted,           // a limit of the whole system is used up
    too_old,             // works, but lacks what upcall needs
    not_tried,           // trying might have killed the program (see probe_host)
    broken,              // answers wrongly: a self-test failed
};

/// "refused_by_seccomp", …
std::string_view name_of(reason code) noexcept;

/// What was found out about one interface.
struct availability {
    kernel_interface what{};
    bool available = false;
    /// errno of the call that failed; 0 if none did.
    int error = 0;
    reason code = reason::works;
    /// One sentence: what was tried and what came of it.
    std::string why;
    /// What a person can do about it; empty if there is nothing to do.
    std::string advice;
};

/// The system around this process.
struct host_system {
    std::string kernel;   // "Linux"
    std::string release;  // "6.18.44"
    std::string machine;  // "x86_64"

    unsigned processors = 0;         // online
    std::vector<unsigned> affinity;  // those this thread may run on
    /// How many this process can keep busy: affinity, cut by the cgroup's quota; at least 1.
    unsigned processors_usable = 1;

    std::uint64_t user = 0;        // effective
    bool may_lock_memory = false;  // CAP_IPC_LOCK: RLIMIT_MEMLOCK does not count
    bool is_admin = false;         // CAP_SYS_ADMIN
    bool no_new_privileges = false;
    enum class seccomp_mode : std::uint8_t { unknown, off, strict, filter };
    seccomp_mode seccomp = seccomp_mode::unknown;
    std::string security_label;  // of SELinux or AppArmor; empty: none, or "unconfined"

    bool is_gvisor = false;
    /// "docker", "podman", "kubernetes", "lxc", …; empty: no sign of a container.
    std::string container;
    /// What told so: "/.dockerenv exists".
    std::vector<std::string> container_evidence;
};

/// All that was found out. A value; any thread.
struct host {
    host_system system;
    host_limits limits;
    ring_facts ring;
    /// One for each kernel_interface, in its order.
    std::array<availability, kernel_interface_count> interfaces;

    const availability& operator[](kernel_interface which) const noexcept {
        return interfaces[static_cast<std::size_t>(which)];
    }
};

/// Probes the host, afresh. Takes a few milliseconds and a few descriptors, from any thread, and
/// leaves nothing behind. Under a seccomp filter the probing is done in a short-lived child
/// process, so that a filter that kills does not kill the caller; the child raises no SIGCHLD.
/// The kernel gives back the memory of the trial rings a few milliseconds after their end: under a
/// tight RLIMIT_MEMLOCK a ring made at once may be refused with ENOMEM, and get room on a later
/// try.
host probe_host();

/// The host as first probed by this process. Any thread.
std::shared_ptr<const host> this_host();

/// Probes again and replaces what `this_host` returns: after a limit was raised, a user changed or
/// a filter installed. Values handed out before stay valid.
std::shared_ptr<const host> reprobe_host();

/// The driver that suits a host, and why.
struct driver_advice {
    /// "uring", "epoll", …; "blocking" if the host has nothing better.
    std::string name;
    /// One sentence for each driver considered, the chosen one last.
    std::vector<std::string> reasons;
};

/// The first that works of uring (with DEFER_TASKRUN, Linux 6.1), iocp, epoll, kqueue (but not by
/// libkqueue), poll, select. Reads nothing but its argument. UPCALL_DRIVER=NAME in the environment,
/// which overrules the choice for a whole process, is read where a driver is made, not here.
driver_advice choose_driver(const host& seen);

}  // namespace upcall
