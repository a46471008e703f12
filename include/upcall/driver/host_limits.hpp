// The limits of this host that a busy program runs into, and what to do about each.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace upcall {

struct host;

/// A number of the system that may also be unlimited, or not to be had.
struct quantity {
    enum class kind : std::uint8_t {
        unreadable,  // `error` says why: ENOENT where this system has no such limit
        known,
        unlimited,
    };
    kind state = kind::unreadable;
    std::uint64_t value = 0;
    int error = 0;

    /// A number, no limit, or the errno that says why it is not to be had.
    static quantity of(std::uint64_t value) noexcept { return {kind::known, value, 0}; }
    static quantity infinite() noexcept { return {kind::unlimited, 0, 0}; }
    static quantity unknown(int error) noexcept { return {kind::unreadable, 0, error}; }

    bool is_known() const noexcept { return state == kind::known; }
    /// Whether it is known to be less than `bound`.
    bool is_below(std::uint64_t bound) const noexcept { return is_known() && value < bound; }
};

/// A resource limit of the process (getrlimit(2)). The soft one counts; a program may raise it up
/// to the hard one by itself.
struct resource_limit {
    quantity soft;
    quantity hard;
};

/// Sources: getrlimit(2), proc(5), sysctl files beneath /proc/sys, cgroups(7).
struct host_limits {
    resource_limit descriptors;      // RLIMIT_NOFILE
    resource_limit locked_memory;    // RLIMIT_MEMLOCK, bytes; per user, all processes together
    resource_limit processes;        // RLIMIT_NPROC; per user, threads included
    resource_limit pending_signals;  // RLIMIT_SIGPENDING

    quantity descriptors_system;    // fs.file-max
    quantity descriptors_per_task;  // fs.nr_open: the ceiling of RLIMIT_NOFILE
    quantity threads_system;        // kernel.threads-max
    quantity pids_system;           // kernel.pid_max

    quantity accept_queue;  // net.core.somaxconn: the ceiling of listen's backlog
    quantity syn_queue;     // net.ipv4.tcp_max_syn_backlog
    quantity port_first;    // net.ipv4.ip_local_port_range
    quantity port_last;
    quantity epoll_watches;  // fs.epoll.max_user_watches, per user

    quantity aio_max;   // fs.aio-max-nr: Linux AIO events of the whole system
    quantity aio_used;  // fs.aio-nr

    quantity uring_disabled;  // kernel.io_uring_disabled: 0 allowed, 1 a group only, 2 nobody (6.6)
    quantity uring_group;     // kernel.io_uring_group; unlimited: no group is set (-1)

    quantity cgroup_memory;       // bytes; the tightest of this cgroup and its ancestors
    quantity cgroup_memory_used;  // bytes, where that limit is set
    quantity cgroup_cpu_millis;   // thousandths of a processor
    quantity cgroup_pids;         // processes and threads
    quantity cgroup_pids_used;

    /// Whether the sysctl files could be read at all; a sandbox may hide them.
    bool sysctls_readable = false;
};

/// One limit as a person reads it.
struct limit_fact {
    enum class unit : std::uint8_t { count, bytes, millicpus, port };

    /// A stable key: "descriptors.soft".
    std::string_view key;
    /// Where it is set: "ulimit -n (RLIMIT_NOFILE, soft)", "net.core.somaxconn".
    std::string_view source;
    quantity amount;
    unit counted_in = unit::count;
    /// What it bounds, in words: "open descriptors of this process".
    std::string_view meaning;
    /// Empty unless the limit is tight on this host: what will happen, and what to change.
    std::string advice;

    /// Whether it is tight here.
    bool bites() const noexcept { return !advice.empty(); }
};

/// All limits of `seen`, in a fixed order, with advice where one will bite.
std::vector<limit_fact> limit_report(const host& seen);

}  // namespace upcall
