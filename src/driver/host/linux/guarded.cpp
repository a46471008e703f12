#include "driver/host/linux/guarded.hpp"

#if defined(__linux__)

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <new>

#include "driver/host/linux/probe_calls.hpp"
#include "driver/host/linux/probe_ring.hpp"

namespace upcall::host_probe {
namespace {

struct stage {
    kernel_interface what;
    void (*run)(raw_report&) noexcept;
    // Whether a filter of a program that runs at all may still kill for it.
    bool is_risky;
};

template <kernel_interface What, call_result (*Try)() noexcept>
void note(raw_report& report) noexcept {
    report[What] = Try();
}

constexpr stage stages[] = {
    {kernel_interface::uring, [](raw_report& report) noexcept { probe_ring(report.ring); }, true},
    {kernel_interface::epoll, note<kernel_interface::epoll, try_epoll>, false},
    {kernel_interface::poll, note<kernel_interface::poll, try_poll>, false},
    {kernel_interface::select, note<kernel_interface::select, try_select>, false},
    {kernel_interface::sigio, note<kernel_interface::sigio, try_sigio>, true},
    {kernel_interface::linux_aio, note<kernel_interface::linux_aio, try_linux_aio>, true},
    {kernel_interface::posix_aio, note<kernel_interface::posix_aio, try_posix_aio>, false},
};
constexpr unsigned stage_count = sizeof stages / sizeof stages[0];

void run_from(raw_report& report, unsigned first) noexcept {
    for (unsigned i = first; i < stage_count; ++i) {
        report.stage = i;
        stages[i].run(report);
    }
    report.stage = stage_count;
}

// fork without its consequences for the program: no atfork handlers, and no SIGCHLD at the end,
// so that neither the program's handler nor its wait loops ever hear of the child.
pid_t clone_quietly() noexcept { return static_cast<pid_t>(::syscall(SYS_clone, 0, 0, 0, 0, 0)); }

// Waits for a child of clone_quietly. The signal that ended it, or 0.
int await_end(pid_t child) noexcept {
    int status = 0;
    while (::waitpid(child, &status, __WALL) < 0)
        if (errno != EINTR) return 0;
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

void note_killed(raw_report& report, int signal) noexcept {
    const kernel_interface what = stages[report.stage].what;
    if (what == kernel_interface::uring)
        report.ring.killed_by = signal;
    else
        report[what] = {true, false, 0, signal};
}

// Children take over from each other until the last stage is done. False: none could be made.
bool run_in_children(raw_report& shared) noexcept {
    unsigned first = 0;
    while (first < stage_count) {
        const pid_t child = clone_quietly();
        if (child < 0) return false;
        if (child == 0) {
            run_from(shared, first);
            ::_exit(0);
        }
        const int signal = await_end(child);
        if (shared.stage >= stage_count) return true;
        note_killed(shared, signal ? signal : SIGKILL);
        first = shared.stage + 1;
    }
    return true;
}

class shared_report {
  public:
    shared_report() noexcept
        : at_(::mmap(nullptr, sizeof(raw_report), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
        if (at_ != MAP_FAILED) new (at_) raw_report;
    }
    shared_report(const shared_report&) = delete;
    shared_report& operator=(const shared_report&) = delete;
    ~shared_report() {
        if (at_ != MAP_FAILED) ::munmap(at_, sizeof(raw_report));
    }
    raw_report* get() const noexcept {
        return at_ == MAP_FAILED ? nullptr : static_cast<raw_report*>(at_);
    }

  private:
    void* at_;
};

// The child would run the program's handlers if a signal came; so none comes while there is one.
class no_signals {
  public:
    no_signals() noexcept {
        sigset_t all;
        sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    no_signals(const no_signals&) = delete;
    no_signals& operator=(const no_signals&) = delete;
    ~no_signals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  private:
    sigset_t before_;
};

}  // namespace

raw_report try_everything(bool guard) {
    raw_report report;
    if (!guard) {
        run_from(report, 0);
        return report;
    }
    const shared_report shared;
    const no_signals quiet;
    if (shared.get() && run_in_children(*shared.get())) return *shared.get();
    if (shared.get()) report = *shared.get();
    for (const stage& each : stages)
        if (!each.is_risky) each.run(report);
    return report;
}

}  // namespace upcall::host_probe

#endif
