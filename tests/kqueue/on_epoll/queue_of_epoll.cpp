// A kqueue made of epoll whose descriptor is the epoll set: readable while a filter has something
// to tell, as the kqueue of a kernel is and that of libkqueue is not. Level-triggered, without user
// events; each queue is used by the thread that made it.
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/event.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <map>

namespace {

/// By descriptor: EPOLLIN, EPOLLOUT.
using filters = std::map<int, std::uint32_t>;
thread_local std::map<int, filters> queues;

std::uint32_t direction_of(const struct kevent& of) noexcept {
    return of.filter == EVFILT_READ ? EPOLLIN : EPOLLOUT;
}

/// 0, or an errno.
int watch(int queue, int fd, std::uint32_t before, std::uint32_t wanted,
          std::uint32_t changed) noexcept {
    epoll_event event{};
    event.events = wanted;
    event.data.fd = fd;
    if (wanted == 0) return ::epoll_ctl(queue, EPOLL_CTL_DEL, fd, nullptr) == 0 ? 0 : errno;
    if (before != 0) {
        if (::epoll_ctl(queue, EPOLL_CTL_MOD, fd, &event) == 0) return 0;
        if (errno != ENOENT) return errno;
        // It was closed, which took its filters along; another has the number now.
        event.events = changed;
    }
    return ::epoll_ctl(queue, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
}

int change(int queue, const struct kevent& asked) {
    const int fd = static_cast<int>(asked.ident);
    const std::uint32_t direction = direction_of(asked);
    std::uint32_t& known = queues[queue][fd];
    if (asked.flags & EV_DELETE) {
        if (!(known & direction)) return ENOENT;
        const int error = watch(queue, fd, known, known & ~direction, 0);
        known &= ~direction;
        return error;
    }
    const int error = watch(queue, fd, known, known | direction, direction);
    if (error == 0) known |= direction;
    return error;
}

/// One event of epoll is that of up to two filters.
int tell(const filters& of, const epoll_event& event, struct kevent* into) {
    const auto known = of.find(event.data.fd);
    if (known == of.end()) return 0;
    const bool ended = event.events & (EPOLLERR | EPOLLHUP);
    int count = 0;
    for (const std::uint32_t direction : {std::uint32_t{EPOLLIN}, std::uint32_t{EPOLLOUT}}) {
        if (!(known->second & direction) || !(ended || event.events & direction)) continue;
        into[count] = {};
        into[count].ident = static_cast<uintptr_t>(event.data.fd);
        into[count].filter = direction == EPOLLIN ? EVFILT_READ : EVFILT_WRITE;
        into[count++].flags = ended ? EV_EOF : 0;
    }
    return count;
}

}  // namespace

extern "C" int kqueue(void) {
    const int queue = ::epoll_create1(0);
    if (queue >= 0) queues[queue].clear();
    return queue;
}

extern "C" int kevent(int queue, const struct kevent* changes, int change_count,
                      struct kevent* events, int room, const timespec* time) {
    int count = 0;
    for (int at = 0; at < change_count; ++at) {
        const int error = change(queue, changes[at]);
        if (error == 0) continue;
        if (count == room) {
            errno = error;
            return -1;
        }
        events[count] = changes[at];
        events[count].flags = EV_ERROR;
        events[count++].data = error;
    }
    if (count > 0 || room == 0) return count;
    std::array<epoll_event, 64> told;
    const int got =
        ::epoll_pwait2(queue, told.data(), std::min(room / 2, int{told.size()}), time, nullptr);
    if (got < 0) return -1;
    for (int at = 0; at < got; ++at)
        count += tell(queues[queue], told[static_cast<std::size_t>(at)], events + count);
    return count;
}
