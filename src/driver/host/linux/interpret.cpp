#include "driver/host/linux/interpret.hpp"

#if defined(__linux__)

#include <sys/select.h>

#include <cerrno>

#include "driver/host/words.hpp"
#include "driver/uring/abi_numbers.hpp"

namespace upcall::host_probe {
namespace {

using outcome = ring_test_result::outcome;

availability not_tried(kernel_interface what) {
    return {what,
            false,
            0,
            reason::not_tried,
            "Not tried: a seccomp filter is in force that might kill this program for it, and no "
            "child process could be made to try in.",
            "Allow more processes: `ulimit -u`, or pids.max of the cgroup."};
}

availability build(kernel_interface what, bool available, int error, verdict found) {
    return {what, available, error, found.code, std::move(found.why), std::move(found.advice)};
}

bool is_refusal(int error) noexcept { return error == EPERM || error == EACCES || error == ENOSYS; }

// Created, but one of the two other calls is refused.
availability interpret_half(const ring_facts& ring, ring_test failing, const host_system& system,
                            const host_limits& limits) {
    const bool is_enter = failing == ring_test::round_trip;
    const std::string call = is_enter ? "io_uring_enter" : "io_uring_register";
    const int error = ring[failing].error;
    verdict found = explain_error(call, true, error, system, limits);
    const bool enter_works = ring[ring_test::round_trip].state == outcome::passed;
    found.code = reason::half_refused;
    found.why = "A ring can be created" +
                std::string(!is_enter && enter_works ? " and entered" : "") +
                ", but not used: " + found.why;
    return build(kernel_interface::uring, false, error, std::move(found));
}

availability interpret_failed_test(const ring_facts& ring, ring_test failing,
                                   const host_system& system, const host_limits& limits) {
    const int error = ring[failing].error;
    verdict found = explain_error("the ring", true, error, system, limits);
    if (found.code == reason::broken) {
        found.why = "A ring can be created, but the self-test \"" + std::string(name_of(failing)) +
                    "\" failed" + (error ? " with " + error_name(error) : std::string()) + ".";
    }
    return build(kernel_interface::uring, false, error, std::move(found));
}

// The first self-test that the driver cannot do without and that did not pass.
const ring_test* first_failed(const ring_facts& ring) noexcept {
    static constexpr ring_test needed[] = {ring_test::enable, ring_test::round_trip,
                                           ring_test::cancel};
    for (const ring_test& each : needed)
        if (ring[each].state == outcome::failed) return &each;
    return nullptr;
}

verdict describe_working(const ring_facts& ring, const host_limits& limits) {
    verdict found{reason::works,
                  "A ring of " + std::to_string(ring.entries) +
                      " entries with DEFER_TASKRUN works, and passed every self-test.",
                  {}};
    std::string failing;
    for (std::size_t i = 0; i < ring_test_count; ++i) {
        if (ring.tests[i].state != outcome::failed) continue;
        failing += (failing.empty() ? "" : ", ") + std::string(name_of(static_cast<ring_test>(i)));
        failing += " (" + error_name(ring.tests[i].error) + ")";
    }
    if (!failing.empty())
        found.why =
            "A ring with DEFER_TASKRUN works, but not everything on it; upcall works "
            "around what failed: " +
            failing + ".";
    if (ring.entries < ring_facts::entries_asked) {
        found.why += " Memory was short for the usual " +
                     std::to_string(ring_facts::entries_asked) + " entries.";
        found.advice =
            "Raise RLIMIT_MEMLOCK (now " + bytes_in_words(limits.locked_memory.soft) +
            ") to 8 MiB or more: `ulimit -l 8192`, `LimitMEMLOCK=8M` in a systemd unit, or "
            "`--ulimit memlock=8388608` for a container.";
    }
    return found;
}

std::string describe_call(kernel_interface what, const host_limits& limits) {
    switch (what) {
        case kernel_interface::epoll:
        case kernel_interface::poll:
            return "It reported a ready pipe.";
        case kernel_interface::select:
            return "It works, for descriptors below " + std::to_string(FD_SETSIZE) + ".";
        case kernel_interface::sigio:
            return "A descriptor takes a real-time signal; up to " +
                   in_words(limits.pending_signals.soft) + " can be pending for this user.";
        case kernel_interface::linux_aio:
            return "It answers; " + in_words(limits.aio_used) + " of " + in_words(limits.aio_max) +
                   " events of the host are taken. Only files opened with O_DIRECT gain by it.";
        case kernel_interface::posix_aio:
            return "The C library offers it, by threads of its own.";
        default:
            return {};
    }
}

}  // namespace

availability interpret_ring(const ring_facts& ring, const host_system& system,
                            const host_limits& limits) {
    constexpr kernel_interface what = kernel_interface::uring;
    if (!ring.tried) return not_tried(what);
    if (ring.killed_by)
        return build(what, false, 0,
                     explain_killed(ring.killed_in.data(), true, ring.killed_by, system));
    if (ring.setup_error)
        return build(what, false, ring.setup_error,
                     explain_error("io_uring_setup", true, ring.setup_error, system, limits));
    if (const ring_test* const failing = first_failed(ring)) {
        const bool is_half = *failing != ring_test::cancel && is_refusal(ring[*failing].error);
        return is_half ? interpret_half(ring, *failing, system, limits)
                       : interpret_failed_test(ring, *failing, system, limits);
    }
    if (!(ring.setup_flags & uring_abi::setup::defer_taskrun))
        return {what,
                false,
                0,
                reason::too_old,
                "This kernel (" + system.release +
                    ") has io_uring, but not DEFER_TASKRUN, without which it is slower than epoll.",
                "Use a kernel from 6.1 on."};
    return build(what, true, 0, describe_working(ring, limits));
}

availability interpret_call(kernel_interface what, const call_result& result,
                            const host_system& system, const host_limits& limits) {
    const std::string name(name_of(what));
    switch (what) {
        case kernel_interface::kqueue:
#ifdef UPCALL_HAS_KQUEUE
            return {what, true, 0, reason::works, "libkqueue makes it of epoll.", {}};
#else
            return {what,
                    false,
                    0,
                    reason::not_on_this_system,
                    "kqueue belongs to the BSDs and macOS, and this was built without libkqueue.",
                    {}};
#endif
        case kernel_interface::iocp:
            return {what,
                    false,
                    0,
                    reason::not_on_this_system,
                    "I/O completion ports belong to Windows.",
                    {}};
        default:
            break;
    }
    if (!result.tried) return not_tried(what);
    if (result.killed_by)
        return build(what, false, 0, explain_killed(name, false, result.killed_by, system));
    const bool is_exhausted = what == kernel_interface::linux_aio && result.works &&
                              limits.aio_max.is_known() && limits.aio_used.is_known() &&
                              limits.aio_used.value >= limits.aio_max.value;
    if (is_exhausted)
        return {what,
                false,
                EAGAIN,
                reason::exhausted,
                "All events of the host are taken: fs.aio-nr is " + in_words(limits.aio_used) +
                    ", fs.aio-max-nr " + in_words(limits.aio_max) + ".",
                "As root: `sysctl -w fs.aio-max-nr=1048576`."};
    if (result.works) return {what, true, 0, reason::works, describe_call(what, limits), {}};
    if (result.error == ENOSPC)
        return {what,
                false,
                result.error,
                reason::exhausted,
                "This user may watch no more descriptors: fs.epoll.max_user_watches is " +
                    in_words(limits.epoll_watches) + ".",
                "As root: `sysctl -w fs.epoll.max_user_watches=N`."};
    return build(what, false, result.error,
                 explain_error(name, false, result.error, system, limits));
}

}  // namespace upcall::host_probe

#endif
