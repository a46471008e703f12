// Inside an event loop of one's own, written by hand over epoll: it has a timer, and turns an
// upcall loop, which is one more descriptor to it.
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <exception>

#include "guest.hpp"

namespace {

int number(const upcall::descriptor& of) { return static_cast<int>(of.get()); }

void watch(int set, int descriptor) {
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    wanted.data.fd = descriptor;
    if (::epoll_ctl(set, EPOLL_CTL_ADD, descriptor, &wanted) != 0)
        throw std::system_error(errno, std::generic_category(), "epoll_ctl");
}

/// A descriptor that is readable every few milliseconds.
upcall::descriptor ticking() {
    upcall::descriptor timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    constexpr timespec pause{.tv_sec = 0, .tv_nsec = 3'000'000};
    const itimerspec every{.it_interval = pause, .it_value = pause};
    if (::timerfd_settime(number(timer), 0, &every, nullptr) != 0)
        throw std::system_error(errno, std::generic_category(), "timerfd");
    return timer;
}

int host() {
    guest inner;
    const upcall::descriptor set(::epoll_create1(EPOLL_CLOEXEC));
    const upcall::descriptor timer = ticking();
    watch(number(set), number(timer));
    watch(number(set), inner.descriptor());
    int ticks = 0;
    while (inner.busy() || ticks < ticks_min) {
        std::array<epoll_event, 8> found{};
        const int count = ::epoll_wait(number(set), found.data(), static_cast<int>(found.size()),
                                       inner.milliseconds());
        if (count < 0 && errno != EINTR) return 1;
        for (int at = 0; at < count; ++at) {
            if (found[static_cast<std::size_t>(at)].data.fd != number(timer)) continue;
            std::uint64_t times = 0;
            if (::read(number(timer), &times, sizeof times) == sizeof times)
                ticks += static_cast<int>(times);
        }
        inner.turn();  // also when it was not the one that was found: that is harmless
    }
    return tell(inner, ticks);
}

}  // namespace

int main() {
    try {
        return host();
    } catch (const std::exception& refused) {
        std::fprintf(stderr, "%s\n", refused.what());
        return 2;
    }
}
