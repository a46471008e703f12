// Which limits there are, and from where on they hurt.
#include <upcall/driver/host.hpp>

#include "driver/host/words.hpp"

namespace upcall {
namespace {

using host_probe::in_bytes;
using host_probe::in_words;
using unit = limit_fact::unit;

// From here on a server for many clients feels the limit. Starting points, not laws.
constexpr std::uint64_t descriptors_enough = 16384;
constexpr std::uint64_t accept_queue_enough = 1024;
constexpr std::uint64_t syn_queue_enough = 512;
constexpr std::uint64_t ports_enough = 16384;
constexpr std::uint64_t tasks_enough = 128;
constexpr std::uint64_t aio_events_enough = 1024;
constexpr std::uint64_t watches_enough = 65536;
constexpr std::uint64_t memory_enough = std::uint64_t{64} << 20;
// One ring of 256 entries with its completions, as 6.18 charges it.
constexpr std::uint64_t ring_bytes = std::uint64_t{28} << 10;

std::string descriptors_advice(const host_limits& limits) {
    const quantity& soft = limits.descriptors.soft;
    if (!soft.is_below(descriptors_enough)) return {};
    std::string advice = "Each connection takes one: this process can hold fewer than " +
                         std::to_string(soft.value) + ".";
    const bool may_rise =
        limits.descriptors.hard.state == quantity::kind::unlimited ||
        (limits.descriptors.hard.is_known() && limits.descriptors.hard.value > soft.value);
    if (may_rise)
        advice +=
            " Raise it without privileges: `ulimit -n " + in_words(limits.descriptors.hard) + "`.";
    else
        advice +=
            " Raise it with `LimitNOFILE=N` in a systemd unit, `--ulimit nofile=N` for a "
            "container, or in /etc/security/limits.conf.";
    return advice;
}

std::string memlock_advice(const host& seen) {
    const quantity& soft = seen.limits.locked_memory.soft;
    if (seen.system.may_lock_memory) return {};
    const std::uint64_t needed = 2 * ring_bytes * seen.system.processors_usable;
    if (!soft.is_below(needed)) return {};
    return "Rings and registered buffers of all processes of this user count, about " +
           in_bytes(ring_bytes) +
           " for each loop: a ring may be refused with ENOMEM. Raise it to "
           "8 MiB: `ulimit -l 8192`, `LimitMEMLOCK=8M`, `--ulimit memlock=8388608`.";
}

std::string accept_queue_advice(const host_limits& limits) {
    if (!limits.accept_queue.is_below(accept_queue_enough)) return {};
    return "A burst of more new connections than this, for each listening socket, is dropped and "
           "tried again a second later. As root: `sysctl -w net.core.somaxconn=4096`.";
}

std::string syn_queue_advice(const host_limits& limits) {
    if (!limits.syn_queue.is_below(syn_queue_enough)) return {};
    return "Half-open connections beyond this wait or fall back to SYN cookies. As root: "
           "`sysctl -w net.ipv4.tcp_max_syn_backlog=4096`.";
}

std::string ports_advice(const host_limits& limits) {
    if (!limits.port_first.is_known() || !limits.port_last.is_known()) return {};
    if (limits.port_last.value < limits.port_first.value) return {};
    const std::uint64_t count = limits.port_last.value - limits.port_first.value + 1;
    if (count >= ports_enough) return {};
    return "Only " + std::to_string(count) +
           " connections to one address and port can be open, "
           "counting those that closed within the last minute. As root: `sysctl -w "
           "net.ipv4.ip_local_port_range=\"1024 65535\"`.";
}

std::string room_advice(const quantity& limit, const quantity& used, std::uint64_t enough,
                        const std::string& advice) {
    if (!limit.is_known()) return {};
    const std::uint64_t taken = used.is_known() ? used.value : 0;
    const std::uint64_t left = limit.value > taken ? limit.value - taken : 0;
    if (left >= enough) return {};
    return "Only " + std::to_string(left) + " are left. " + advice;
}

std::string cgroup_memory_advice(const host_limits& limits) {
    if (!limits.cgroup_memory.is_below(memory_enough)) return {};
    return "The kernel ends the program when it needs more, sockets' buffers included. Raise the "
           "container's or unit's memory limit.";
}

std::string cgroup_cpu_advice(const host& seen) {
    const quantity& quota = seen.limits.cgroup_cpu_millis;
    const std::uint64_t affine =
        seen.system.affinity.empty() ? seen.system.processors : seen.system.affinity.size();
    if (!quota.is_below(affine * 1000)) return {};
    return "This is less than the " + std::to_string(affine) +
           " processors that the program sees: with a loop on each it would be stopped for the "
           "rest of every period. upcall starts " +
           std::to_string(seen.system.processors_usable) + ".";
}

std::string uring_disabled_advice(const host& seen) {
    const quantity& disabled = seen.limits.uring_disabled;
    if (!disabled.is_known() || disabled.value == 0) return {};
    if (disabled.value == 1 && seen.system.is_admin) return {};
    return "Rings are refused with EPERM. As root: `sysctl -w kernel.io_uring_disabled=0`.";
}

std::string system_descriptors_advice(const host_limits& limits) {
    if (!limits.descriptors_system.is_below(descriptors_enough)) return {};
    return "All processes of the host share these. As root: `sysctl -w fs.file-max=1048576`.";
}

void add_process_limits(std::vector<limit_fact>& all, const host& seen) {
    const host_limits& limits = seen.limits;
    all.push_back({"descriptors.soft", "ulimit -n (RLIMIT_NOFILE)", limits.descriptors.soft,
                   unit::count, "open descriptors of this process", descriptors_advice(limits)});
    all.push_back({"descriptors.hard",
                   "ulimit -Hn (RLIMIT_NOFILE)",
                   limits.descriptors.hard,
                   unit::count,
                   "how far it may raise that by itself",
                   {}});
    all.push_back({"locked_memory.soft", "ulimit -l (RLIMIT_MEMLOCK)", limits.locked_memory.soft,
                   unit::bytes,
                   seen.system.may_lock_memory
                       ? "memory for rings and registered buffers (not counted: CAP_IPC_LOCK)"
                       : "memory for rings and registered buffers of this user",
                   memlock_advice(seen)});
    all.push_back({"locked_memory.hard",
                   "ulimit -Hl (RLIMIT_MEMLOCK)",
                   limits.locked_memory.hard,
                   unit::bytes,
                   "how far it may raise that by itself",
                   {}});
    all.push_back({"processes.soft", "ulimit -u (RLIMIT_NPROC)", limits.processes.soft, unit::count,
                   "processes and threads of this user",
                   room_advice(limits.processes.soft, {}, tasks_enough,
                               "Threads of the pool may fail to start. Raise it: `ulimit -u`.")});
    all.push_back({"pending_signals.soft",
                   "ulimit -i (RLIMIT_SIGPENDING)",
                   limits.pending_signals.soft,
                   unit::count,
                   "queued signals of this user (driver sigio)",
                   {}});
}

void add_network_limits(std::vector<limit_fact>& all, const host_limits& limits) {
    all.push_back({"accept_queue", "net.core.somaxconn", limits.accept_queue, unit::count,
                   "connections that wait to be accepted, per listening socket",
                   accept_queue_advice(limits)});
    all.push_back({"syn_queue", "net.ipv4.tcp_max_syn_backlog", limits.syn_queue, unit::count,
                   "half-open connections, per listening socket", syn_queue_advice(limits)});
    all.push_back({"port.first", "net.ipv4.ip_local_port_range", limits.port_first, unit::port,
                   "first port for outgoing connections", ports_advice(limits)});
    all.push_back({"port.last",
                   "net.ipv4.ip_local_port_range",
                   limits.port_last,
                   unit::port,
                   "last port for outgoing connections",
                   {}});
}

void add_system_limits(std::vector<limit_fact>& all, const host& seen) {
    const host_limits& limits = seen.limits;
    all.push_back({"descriptors.system", "fs.file-max", limits.descriptors_system, unit::count,
                   "open files of the whole host", system_descriptors_advice(limits)});
    all.push_back({"descriptors.ceiling",
                   "fs.nr_open",
                   limits.descriptors_per_task,
                   unit::count,
                   "how far root can raise ulimit -n",
                   {}});
    all.push_back({"threads.system",
                   "kernel.threads-max",
                   limits.threads_system,
                   unit::count,
                   "threads of the whole host",
                   {}});
    all.push_back({"pids.system",
                   "kernel.pid_max",
                   limits.pids_system,
                   unit::count,
                   "highest process number",
                   {}});
    all.push_back({"epoll.watches", "fs.epoll.max_user_watches", limits.epoll_watches, unit::count,
                   "descriptors in epoll sets of this user",
                   room_advice(limits.epoll_watches, {}, watches_enough,
                               "As root: `sysctl -w fs.epoll.max_user_watches=N`.")});
    all.push_back({"aio.max", "fs.aio-max-nr", limits.aio_max, unit::count,
                   "Linux AIO events of the whole host",
                   room_advice(limits.aio_max, limits.aio_used, aio_events_enough,
                               "As root: `sysctl -w fs.aio-max-nr=1048576`.")});
    all.push_back({"aio.used", "fs.aio-nr", limits.aio_used, unit::count, "of those, taken", {}});
    all.push_back({"uring.disabled", "kernel.io_uring_disabled", limits.uring_disabled, unit::count,
                   "0: all may use rings, 1: a group, 2: nobody", uring_disabled_advice(seen)});
    all.push_back({"uring.group",
                   "kernel.io_uring_group",
                   limits.uring_group,
                   unit::count,
                   "the group meant by 1 (unlimited: none)",
                   {}});
}

void add_cgroup_limits(std::vector<limit_fact>& all, const host& seen) {
    const host_limits& limits = seen.limits;
    all.push_back({"cgroup.memory", "cgroup: memory", limits.cgroup_memory, unit::bytes,
                   "memory of this container or unit", cgroup_memory_advice(limits)});
    all.push_back({"cgroup.memory.used",
                   "cgroup: memory",
                   limits.cgroup_memory_used,
                   unit::bytes,
                   "of that, used",
                   {}});
    all.push_back({"cgroup.cpu", "cgroup: cpu", limits.cgroup_cpu_millis, unit::millicpus,
                   "processor time", cgroup_cpu_advice(seen)});
    all.push_back({"cgroup.pids", "cgroup: pids", limits.cgroup_pids, unit::count,
                   "processes and threads of this container or unit",
                   room_advice(limits.cgroup_pids, limits.cgroup_pids_used, tasks_enough,
                               "Threads of the pool may fail to start. Raise it: `TasksMax=N` in a "
                               "systemd unit, `--pids-limit N` for a container.")});
    all.push_back({"cgroup.pids.used",
                   "cgroup: pids",
                   limits.cgroup_pids_used,
                   unit::count,
                   "of those, taken",
                   {}});
}

}  // namespace

std::vector<limit_fact> limit_report(const host& seen) {
    std::vector<limit_fact> all;
    add_process_limits(all, seen);
    add_network_limits(all, seen.limits);
    add_system_limits(all, seen);
    add_cgroup_limits(all, seen);
    return all;
}

}  // namespace upcall
