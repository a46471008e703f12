#include "driver/host/linux/interpret.hpp"

#if defined(__linux__)

#include <cerrno>
#include <csignal>

#include "driver/host/words.hpp"

namespace upcall::host_probe {
namespace {

constexpr const char* ring_calls = "io_uring_setup, io_uring_enter and io_uring_register";

bool has_filter(const host_system& system) noexcept {
    return system.seccomp == host_system::seccomp_mode::filter;
}

std::string filter_advice(const std::string& calls, bool is_ring, const host_system& system) {
    const std::string allow = is_ring ? ring_calls : calls;
    if (system.container == "kubernetes")
        return "Give the pod a seccompProfile of type Localhost that allows " + allow + ".";
    if (system.container == "docker" || system.container == "podman" ||
        system.container == "containerd")
        return "Start the container with a seccomp profile that allows " + allow +
               " (docker and podman: `--security-opt seccomp=FILE`). It may also be whatever runs "
               "inside the container that installs the filter.";
    return "Allow " + allow +
           " in the seccomp filter of whatever started this program (systemd: "
           "`SystemCallFilter=@aio`; a container: its seccomp profile).";
}

// kernel.io_uring_disabled came with 6.6: where it is there, so is io_uring.
bool kernel_surely_has_rings(const host_limits& limits) noexcept {
    return limits.uring_disabled.state != quantity::kind::unreadable;
}

bool is_off_for_us(const host_system& system, const host_limits& limits) noexcept {
    if (!limits.uring_disabled.is_known()) return false;
    return limits.uring_disabled.value >= 2 ||
           (limits.uring_disabled.value == 1 && !system.is_admin);
}

verdict explain_sysctl(const host_system& system, const host_limits& limits) {
    const std::string open =
        "as root: `sysctl -w kernel.io_uring_disabled=0`, and a line in /etc/sysctl.d/ to keep it.";
    verdict found{reason::refused_by_sysctl, {}, {}};
    if (limits.uring_disabled.value >= 2) {
        found.why =
            "The sysctl kernel.io_uring_disabled is 2: nobody on this host may create a "
            "ring.";
        found.advice = "To change that, " + open;
    } else if (limits.uring_group.is_known()) {
        const std::string group = std::to_string(limits.uring_group.value);
        found.why =
            "The sysctl kernel.io_uring_disabled is 1: only administrators and members of "
            "group " +
            group + " (kernel.io_uring_group) may create a ring.";
        found.advice = "Add this user to group " + group + ", or " + open;
    } else {
        found.why =
            "The sysctl kernel.io_uring_disabled is 1: only administrators may create a "
            "ring.";
        found.advice = "Name a group in kernel.io_uring_group and add this user to it, or " + open;
    }
    if (has_filter(system))
        found.advice += " A seccomp filter is in force as well, and may refuse rings too.";
    return found;
}

verdict explain_refusal(const std::string& calls, bool is_ring, int error,
                        const host_system& system, const host_limits& limits) {
    const std::string name = error_name(error);
    if (is_ring && error == EPERM && is_off_for_us(system, limits))
        return explain_sysctl(system, limits);
    if (has_filter(system))
        return {
            reason::refused_by_seccomp,
            "A seccomp filter answers " + calls + " with " + name + " in the kernel's place" +
                (is_ring ? ", as the default profiles of Docker, containerd and Podman do." : "."),
            filter_advice(calls, is_ring, system)};
    const std::string look =
        "Look for a refusal in the kernel's log (`dmesg`, `journalctl -k`), and "
        "in the policy of SELinux or AppArmor.";
    const std::string label = system.security_label.empty()
                                  ? std::string()
                                  : " (this process is labelled " + system.security_label + ")";
    if (error == EACCES)
        return {reason::refused_by_policy,
                "A security policy refuses " + calls + " with EACCES" + label + ".", look};
    return {reason::refused,
            calls + " is refused with " + name + ", and " +
                (is_ring ? "neither kernel.io_uring_disabled nor a seccomp filter of this process "
                           "is the cause; it may be a security module"
                         : "no seccomp filter of this process is the cause; it may be a security "
                           "module") +
                label + ".",
            look};
}

verdict explain_missing(const std::string& calls, bool is_ring, const host_system& system,
                        const host_limits& limits) {
    if (system.is_gvisor)
        return {reason::emulated_kernel,
                "This is gVisor, a kernel in user space, and it does not offer " + calls + ".",
                "Run the container with another runtime than runsc to use it."};
    if (has_filter(system)) {
        const bool is_sure = is_ring && kernel_surely_has_rings(limits);
        return {reason::refused_by_seccomp,
                is_sure ? "A seccomp filter answers " + calls +
                              " with ENOSYS; the kernel itself has it."
                        : calls +
                              " answers ENOSYS, and a seccomp filter is in force: most likely "
                              "it is the filter that answers, not the kernel (" +
                              system.release + ").",
                filter_advice(calls, is_ring, system)};
    }
    if (is_ring && kernel_surely_has_rings(limits))
        return {reason::refused,
                calls +
                    " answers ENOSYS although the kernel has io_uring; something between this "
                    "program and the kernel answers for it.",
                "Look at what the program runs under: a tracer, an emulator, a sandbox."};
    if (is_ring)
        return {reason::not_in_kernel,
                "This kernel (" + system.release +
                    ") has no io_uring: it is older than 5.1, or was built without "
                    "CONFIG_IO_URING.",
                "Use a kernel from 6.1 on, with CONFIG_IO_URING=y."};
    return {reason::not_in_kernel,
            "This kernel (" + system.release + ") was built without " + calls + ".",
            {}};
}

verdict explain_memory(const std::string& calls, const host_system& system,
                       const host_limits& limits) {
    if (system.may_lock_memory || limits.locked_memory.soft.state == quantity::kind::unlimited)
        return {reason::out_of_memory,
                calls +
                    " found no memory (ENOMEM), and RLIMIT_MEMLOCK is not the cause: the "
                    "memory cgroup or the host is full.",
                "Raise the memory limit of the container or unit (here: " +
                    bytes_in_words(limits.cgroup_memory) + "), or free memory."};
    return {reason::out_of_locked_memory,
            "RLIMIT_MEMLOCK (" + bytes_in_words(limits.locked_memory.soft) + ", at most " +
                bytes_in_words(limits.locked_memory.hard) +
                ") leaves no room for a ring. It counts all rings and registered buffers of this "
                "user, in every process.",
            "Raise it to 8 MiB or more: `ulimit -l 8192`, `LimitMEMLOCK=8M` in a systemd unit, or "
            "`--ulimit memlock=8388608` for a container."};
}

verdict explain_descriptors(int error, const host_limits& limits) {
    if (error == ENFILE)
        return {reason::out_of_descriptors,
                "The host's table of open files is full (fs.file-max is " +
                    in_words(limits.descriptors_system) + ").",
                "As root: `sysctl -w fs.file-max=N`, or end what holds so many files."};
    return {
        reason::out_of_descriptors,
        "All " + in_words(limits.descriptors.soft) +
            " descriptors that RLIMIT_NOFILE allows this process are in use.",
        "Raise it: `ulimit -n N` (up to " + in_words(limits.descriptors.hard) +
            " without privileges), `LimitNOFILE=N` in a systemd unit, or `--ulimit nofile=N` for "
            "a container."};
}

}  // namespace

verdict explain_error(const std::string& calls, bool is_ring, int error, const host_system& system,
                      const host_limits& limits) {
    switch (error) {
        case EPERM:
        case EACCES:
            return explain_refusal(calls, is_ring, error, system, limits);
        case ENOSYS:
            return explain_missing(calls, is_ring, system, limits);
        case ENOMEM:
            return explain_memory(calls, system, limits);
        case EMFILE:
        case ENFILE:
            return explain_descriptors(error, limits);
        case 0:
            return {reason::broken, calls + " answers, but wrongly.",
                    "Report this, with the output of `upcall doctor --json`."};
        default:
            return {reason::broken, calls + " failed with " + error_name(error) + ".",
                    "Report this, with the output of `upcall doctor --json`."};
    }
}

verdict explain_killed(const std::string& calls, bool is_ring, int signal,
                       const host_system& system) {
    if (signal == SIGSYS)
        return {reason::killed_by_seccomp, "A seccomp filter kills whoever calls " + calls + ".",
                filter_advice(calls, is_ring, system)};
    return {
        reason::broken,
        "The process that tried " + calls + " was ended by signal " + std::to_string(signal) + ".",
        {}};
}

}  // namespace upcall::host_probe

#endif
