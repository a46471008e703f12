#include "driver/host/linux/probe_calls.hpp"

#if defined(__linux__)

#include <fcntl.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace upcall::host_probe {
namespace {

call_result answered(bool rightly) noexcept { return {true, rightly, 0, 0}; }
call_result failed(int error) noexcept { return {true, false, error, 0}; }

// A pipe with one byte in it: readable for whoever asks.
struct readable_pipe {
    int ends[2] = {-1, -1};
    int error = 0;

    readable_pipe() noexcept {
        if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0 || ::write(ends[1], "u", 1) != 1)
            error = errno;
    }
    readable_pipe(const readable_pipe&) = delete;
    readable_pipe& operator=(const readable_pipe&) = delete;
    ~readable_pipe() {
        if (ends[0] >= 0) ::close(ends[0]);
        if (ends[1] >= 0) ::close(ends[1]);
    }
};

call_result ask_epoll(int set, int fd) noexcept {
    epoll_event interest{};
    interest.events = EPOLLIN | EPOLLET;
    interest.data.u64 = 42;
    if (::epoll_ctl(set, EPOLL_CTL_ADD, fd, &interest) != 0) return failed(errno);
    epoll_event event{};
    const int count = ::epoll_wait(set, &event, 1, 0);
    if (count < 0) return failed(errno);
    return answered(count == 1 && event.data.u64 == 42 && (event.events & EPOLLIN));
}

}  // namespace

call_result try_epoll() noexcept {
    const int set = ::epoll_create1(EPOLL_CLOEXEC);
    if (set < 0) return failed(errno);
    const readable_pipe source;
    const call_result found = source.error ? failed(source.error) : ask_epoll(set, source.ends[0]);
    ::close(set);
    return found;
}

// poll and select need no descriptor of their own, and are judged without one where none is left.
call_result try_poll() noexcept {
    const readable_pipe source;
    pollfd interest{source.ends[0], POLLIN, 0};
    const nfds_t count = source.error ? 0 : 1;
    const int ready = ::poll(&interest, count, 0);
    if (ready < 0) return failed(errno);
    return answered(static_cast<nfds_t>(ready) == count);
}

call_result try_select() noexcept {
    const readable_pipe source;
    const int fd = source.error || source.ends[0] >= FD_SETSIZE ? -1 : source.ends[0];
    fd_set interest;
    FD_ZERO(&interest);
    if (fd >= 0) FD_SET(fd, &interest);
    timeval now{};
    const int ready = ::select(fd + 1, &interest, nullptr, nullptr, &now);
    if (ready < 0) return failed(errno);
    return answered(ready == (fd >= 0 ? 1 : 0));
}

// A signal is chosen and an owner set, but delivery is never switched on: a signal sent to the
// process would meet whatever handler the program has.
call_result try_sigio() noexcept {
    const readable_pipe source;
    if (source.error) return failed(source.error);
    const int fd = source.ends[0];
    const f_owner_ex self{F_OWNER_TID, static_cast<pid_t>(::syscall(SYS_gettid))};
    if (::fcntl(fd, F_SETOWN_EX, &self) != 0) return failed(errno);
    if (::fcntl(fd, F_SETSIG, SIGRTMIN) != 0) return failed(errno);
    const int chosen = ::fcntl(fd, F_GETSIG);
    if (chosen < 0) return failed(errno);
    return answered(chosen == SIGRTMIN);
}

// A context is not made, because giving one back waits for a grace period of the kernel, tens of
// milliseconds. A count of zero is refused with EINVAL by a kernel that has the call and lets us
// through to it; whether there is room for a context, fs.aio-nr and fs.aio-max-nr tell.
call_result try_linux_aio() noexcept {
    aio_context_t context = 0;
    if (::syscall(SYS_io_setup, 0, &context) == 0) return answered(false);
    if (errno != EINVAL) return failed(errno);
    // The same for io_submit, by a context that does not exist.
    iocb* none = nullptr;
    if (::syscall(SYS_io_submit, context, 0L, &none) == 0) return answered(true);
    return errno == EINVAL ? answered(true) : failed(errno);
}

call_result try_posix_aio() noexcept {
    // A real request would start a helper thread in the C library; the library's word will do.
    return ::sysconf(_SC_ASYNCHRONOUS_IO) > 0 ? answered(true) : failed(ENOSYS);
}

}  // namespace upcall::host_probe

#endif
