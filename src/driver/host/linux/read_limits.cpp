#include "driver/host/linux/read_limits.hpp"

#if defined(__linux__)

#include <sys/resource.h>

#include <cerrno>

#include "driver/host/linux/cgroup.hpp"

namespace upcall::host_probe {
namespace {

quantity from_rlim(rlim_t value) noexcept {
    return value == RLIM_INFINITY ? quantity::infinite() : quantity::of(value);
}

template <class Resource>
resource_limit read_resource(Resource which) noexcept {
    rlimit both{};
    if (::getrlimit(which, &both) != 0) return {quantity::unknown(errno), quantity::unknown(errno)};
    return {from_rlim(both.rlim_cur), from_rlim(both.rlim_max)};
}

// "first last", separated by a tab.
void read_port_range(const system_files& files, host_limits& limits) {
    const auto text = files.read("/proc/sys/net/ipv4/ip_local_port_range");
    if (!text) {
        limits.port_first = limits.port_last = quantity::unknown(text.error());
        return;
    }
    const std::string_view both = trim(*text);
    const std::size_t gap = both.find_first_of(" \t");
    const quantity unreadable = quantity::unknown(EBADMSG);
    limits.port_first = parse_quantity(both.substr(0, gap)).value_or(unreadable);
    limits.port_last = gap == std::string_view::npos
                           ? unreadable
                           : parse_quantity(both.substr(gap)).value_or(unreadable);
}

}  // namespace

host_limits read_limits(const system_files& files) {
    host_limits limits;
    limits.descriptors = read_resource(RLIMIT_NOFILE);
    limits.locked_memory = read_resource(RLIMIT_MEMLOCK);
    limits.processes = read_resource(RLIMIT_NPROC);
    limits.pending_signals = read_resource(RLIMIT_SIGPENDING);

    limits.descriptors_system = files.number("/proc/sys/fs/file-max");
    limits.descriptors_per_task = files.number("/proc/sys/fs/nr_open");
    limits.threads_system = files.number("/proc/sys/kernel/threads-max");
    limits.pids_system = files.number("/proc/sys/kernel/pid_max");
    limits.accept_queue = files.number("/proc/sys/net/core/somaxconn");
    limits.syn_queue = files.number("/proc/sys/net/ipv4/tcp_max_syn_backlog");
    read_port_range(files, limits);
    limits.epoll_watches = files.number("/proc/sys/fs/epoll/max_user_watches");
    limits.aio_max = files.number("/proc/sys/fs/aio-max-nr");
    limits.aio_used = files.number("/proc/sys/fs/aio-nr");
    limits.uring_disabled = files.number("/proc/sys/kernel/io_uring_disabled");
    limits.uring_group = files.number("/proc/sys/kernel/io_uring_group");
    limits.sysctls_readable = files.read("/proc/sys/kernel/ostype").has_value();
    read_cgroup_limits(files, limits);
    return limits;
}

}  // namespace upcall::host_probe

#endif
