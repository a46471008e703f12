#include "driver/host/linux/cgroup.hpp"

#if defined(__linux__)

#include <algorithm>
#include <cerrno>
#include <string>

namespace upcall::host_probe {
namespace {

// Where the groups of one controller are: the mount, and this process's group below it.
struct controller {
    std::string mount;
    std::string group;  // "/a/b"; "/" is the root
};

// The path of a controller in /proc/self/cgroup: lines "id:controllers:path". Version 2 has the
// one line "0::path".
std::string group_of(std::string_view table, std::string_view name) {
    for (const std::string_view line : split(table, '\n')) {
        const std::size_t first = line.find(':');
        const std::size_t second = line.find(':', first + 1);
        if (first == std::string_view::npos || second == std::string_view::npos) continue;
        const std::string_view names = line.substr(first + 1, second - first - 1);
        const bool is_unified = names.empty() && line.starts_with("0:");
        bool matches = name.empty() && is_unified;
        for (const std::string_view each : split(names, ','))
            matches = matches || (!name.empty() && each == name);
        if (matches) return std::string(line.substr(second + 1));
    }
    return {};
}

// Calls `look` with each folder from the group up to the mount. Inside a container the group's own
// path may not be visible below the mount; then the mount itself stands for it.
template <class Look>
void walk_up(const system_files& files, const controller& where, Look look) {
    std::string group = where.group;
    if (group == "/" || !files.exists(where.mount + group)) group.clear();
    for (;;) {
        look(where.mount + group);
        if (group.empty()) return;
        group.erase(group.rfind('/'));
    }
}

bool is_tighter(const quantity& next, const quantity& best) noexcept {
    return next.is_known() && (!best.is_known() || next.value < best.value);
}

// A group without a limit's file has no such limit: the root group, or a controller that is off.
quantity unlimited_below(const system_files& files, const controller& where) {
    return files.exists(where.mount) ? quantity::infinite() : quantity::unknown(ENOENT);
}

// The tightest number in the files called `limit_name`, and the number in `used_name` beside it.
struct tightest {
    quantity limit = quantity::unknown(ENOENT);
    quantity used = quantity::unknown(ENOENT);
};

tightest find_tightest(const system_files& files, const controller& where,
                       std::string_view limit_name, std::string_view used_name) {
    // Version 1 writes "no limit" as a number near 2^63.
    constexpr std::uint64_t practically_infinite = std::uint64_t{1} << 60;
    tightest found{unlimited_below(files, where), quantity::unknown(ENOENT)};
    walk_up(files, where, [&](const std::string& folder) {
        const quantity limit = files.number(folder + '/' + std::string(limit_name));
        if (!limit.is_below(practically_infinite) || !is_tighter(limit, found.limit)) return;
        found.limit = limit;
        found.used = files.number(folder + '/' + std::string(used_name));
    });
    return found;
}

// Thousandths of a processor out of "quota period", in microseconds; "max" is no limit.
quantity millis_of(quantity quota, quantity period) noexcept {
    if (quota.state == quantity::kind::unlimited) return quota;
    if (!quota.is_known() || !period.is_known() || period.value == 0)
        return quantity::unknown(quota.error);
    return quantity::of(quota.value * 1000 / period.value);
}

quantity cpu_quota_unified(const system_files& files, const controller& where) {
    quantity best = unlimited_below(files, where);
    walk_up(files, where, [&](const std::string& folder) {
        const auto text = files.read(folder + "/cpu.max");
        if (!text) return;
        const auto words = split(trim(*text), ' ');
        if (words.size() != 2) return;
        const quantity next = millis_of(parse_quantity(words[0]).value_or(quantity{}),
                                        parse_quantity(words[1]).value_or(quantity{}));
        if (is_tighter(next, best)) best = next;
    });
    return best;
}

quantity cpu_quota_separate(const system_files& files, const controller& where) {
    quantity best = unlimited_below(files, where);
    walk_up(files, where, [&](const std::string& folder) {
        const quantity next = millis_of(files.number(folder + "/cpu.cfs_quota_us"),
                                        files.number(folder + "/cpu.cfs_period_us"));
        if (is_tighter(next, best)) best = next;
    });
    return best;
}

}  // namespace

void read_cgroup_limits(const system_files& files, host_limits& limits) {
    const auto table = files.read("/proc/self/cgroup");
    if (!table) return;
    const std::string mount = "/sys/fs/cgroup";
    const auto governed_by = [&](std::string_view name) -> std::pair<controller, bool> {
        if (std::string group = group_of(*table, name); !group.empty())
            return {{mount + '/' + std::string(name), std::move(group)}, false};
        return {{mount, group_of(*table, "")}, true};
    };
    const auto [memory, memory_unified] = governed_by("memory");
    const tightest bytes =
        memory_unified
            ? find_tightest(files, memory, "memory.max", "memory.current")
            : find_tightest(files, memory, "memory.limit_in_bytes", "memory.usage_in_bytes");
    limits.cgroup_memory = bytes.limit;
    limits.cgroup_memory_used = bytes.used;

    const auto [pids, pids_unified] = governed_by("pids");
    const tightest tasks = find_tightest(files, pids, "pids.max", "pids.current");
    limits.cgroup_pids = tasks.limit;
    limits.cgroup_pids_used = tasks.used;

    const auto [cpu, cpu_unified] = governed_by("cpu");
    limits.cgroup_cpu_millis =
        cpu_unified ? cpu_quota_unified(files, cpu) : cpu_quota_separate(files, cpu);
}

}  // namespace upcall::host_probe

#endif
