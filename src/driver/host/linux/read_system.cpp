#include "driver/host/linux/read_system.hpp"

#if defined(__linux__)

#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace upcall::host_probe {
namespace {

using seccomp_mode = host_system::seccomp_mode;

void read_kernel(const system_files& files, host_system& system) {
    utsname name{};
    if (::uname(&name) == 0) {
        system.kernel = name.sysname;
        system.release = name.release;
        system.machine = name.machine;
    }
    // gVisor tells every program this same build date, whatever it was built from.
    if (const auto version = files.read("/proc/version"))
        system.is_gvisor = version->find("gVisor") != std::string::npos ||
                           version->find("Sun Jan 10 15:06:54 PST 2016") != std::string::npos;
}

void read_processors(host_system& system) {
    const long online = ::sysconf(_SC_NPROCESSORS_ONLN);
    system.processors = online > 0 ? static_cast<unsigned>(online) : 1;
    // The mask must be as large as the kernel's, which a machine of 1024 processors and more shows.
    for (std::size_t count = 1024; count <= std::size_t{1} << 20; count *= 2) {
        const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> mask(
            CPU_ALLOC(count), [](cpu_set_t* set) { CPU_FREE(set); });
        const std::size_t size = CPU_ALLOC_SIZE(count);
        if (!mask) return;
        if (::sched_getaffinity(0, size, mask.get()) == 0) {
            for (std::size_t cpu = 0; cpu < count; ++cpu)
                if (CPU_ISSET_S(cpu, size, mask.get()))
                    system.affinity.push_back(static_cast<unsigned>(cpu));
            return;
        }
        if (errno != EINVAL) return;
    }
}

// The kernel asks for some capabilities in the first user namespace only, where a container's root
// has none, whatever its own set says. An identity map of all users means that we are there.
bool is_in_first_user_namespace(const system_files& files) {
    const auto map = files.read("/proc/self/uid_map");
    if (!map) return true;
    const auto words = split(trim(*map), ' ');
    return words.size() == 3 && words[0] == "0" && words[1] == "0" && words[2] == "4294967295";
}

seccomp_mode to_mode(std::string_view text) noexcept {
    if (text == "0") return seccomp_mode::off;
    if (text == "1") return seccomp_mode::strict;
    if (text == "2") return seccomp_mode::filter;
    return seccomp_mode::unknown;
}

// /proc may be missing, or no descriptor left to read it with.
void read_privileges_without_proc(host_system& system) noexcept {
    const int mode = ::prctl(PR_GET_SECCOMP, 0, 0, 0, 0);
    system.seccomp = mode == 0   ? seccomp_mode::off
                     : mode == 2 ? seccomp_mode::filter
                                 : seccomp_mode::unknown;
    system.no_new_privileges = ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

void read_privileges(const system_files& files, host_system& system) {
    system.user = ::geteuid();
    // Filters belong to threads; what another thread may do is not the question.
    auto status = files.read("/proc/thread-self/status");
    if (!status) status = files.read("/proc/self/status");
    if (!status) return read_privileges_without_proc(system);
    system.seccomp = to_mode(field(*status, "Seccomp"));
    system.no_new_privileges = field(*status, "NoNewPrivs") == "1";
    const std::uint64_t capabilities = parse_hex(field(*status, "CapEff")).value_or(0);
    const bool counts = is_in_first_user_namespace(files);
    system.may_lock_memory = counts && (capabilities >> CAP_IPC_LOCK & 1) != 0;
    system.is_admin = counts && (capabilities >> CAP_SYS_ADMIN & 1) != 0;
}

}  // namespace

host_system read_system(const system_files& files) {
    host_system system;
    read_kernel(files, system);
    read_processors(system);
    read_privileges(files, system);
    if (const auto label = files.read("/proc/self/attr/current"))
        system.security_label = trim(*label);
    read_container(files, system);
    return system;
}

unsigned usable_processors(const host_system& system, const host_limits& limits) noexcept {
    unsigned usable =
        system.affinity.empty() ? system.processors : static_cast<unsigned>(system.affinity.size());
    if (limits.cgroup_cpu_millis.is_known()) {
        // A quota of 1.5 processors keeps two threads busy, if not all the time.
        const std::uint64_t whole = (limits.cgroup_cpu_millis.value + 999) / 1000;
        usable = static_cast<unsigned>(std::min<std::uint64_t>(usable, whole));
    }
    return std::max(usable, 1U);
}

}  // namespace upcall::host_probe

#endif
