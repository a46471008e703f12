#include "driver/readiness/epoll_poller.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>

#include <upcall/base/fatal.hpp>

#include "driver/posix/wait_time.hpp"

namespace upcall {
namespace {

constexpr std::uint64_t wake_key = ~std::uint64_t{0};

// EPOLLPRI: past an urgent byte a read stops short with more to come (tcp(7)).
constexpr std::uint32_t everything = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;

std::uint32_t ready_of(std::uint32_t events) noexcept {
    std::uint32_t ready = 0;
    if (events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP)) ready |= ready_to_read;
    if (events & EPOLLOUT) ready |= ready_to_write;
    if (events & (EPOLLERR | EPOLLHUP)) ready |= ready_to_read | ready_to_write;
    if (events & (EPOLLPRI | EPOLLRDHUP | EPOLLERR | EPOLLHUP)) ready |= ready_irregular;
    return ready;
}

epoll_event event_for(const watch& wanted) noexcept {
    epoll_event event{};
    event.events = everything;
    event.data.u64 = wanted.key;
    return event;
}

}  // namespace

epoll_poller::~epoll_poller() {
    if (epoll_ >= 0) ::close(epoll_);
}

std::int64_t epoll_poller::open() noexcept {
    if (const std::int64_t refused = wake_.open(); refused < 0) return refused;
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    if (epoll_ < 0) return -errno;
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.u64 = wake_key;
    return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_.fd(), &event) == 0 ? 0 : -errno;
}

std::int64_t epoll_poller::add(watch& added) noexcept {
    const auto number = static_cast<std::size_t>(added.fd);
    if (number >= registered_.size()) {
        try {
            registered_.resize(std::max(number + 1, 2 * registered_.size()));
        } catch (const std::bad_alloc&) {
            return -ENOMEM;
        }
    }
    return register_watch(added);
}

std::int64_t epoll_poller::register_watch(watch& added) noexcept {
    epoll_event event = event_for(added);
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, added.fd, &event) != 0) return -errno;
    registered_[static_cast<std::size_t>(added.fd)] = &added;
    return 0;
}

std::int64_t epoll_poller::arm(watch& armed, std::uint32_t) noexcept {
    const watch* last = registered_[static_cast<std::size_t>(armed.fd)];
    if (last && last != &armed) return -EEXIST;
    epoll_event event = event_for(armed);
    if (last && ::epoll_ctl(epoll_, EPOLL_CTL_MOD, armed.fd, &event) == 0) return 0;
    // The number names another file than the one that was registered: its owner has closed that.
    if (!last || errno == ENOENT) return register_watch(armed);
    return -errno;
}

void epoll_poller::remove(watch& removed) noexcept {
    // Another's registration is not ours to end. A copy of our own file may be open somewhere still
    // and have events: the key tells that they are nobody's.
    const watch*& last = registered_[static_cast<std::size_t>(removed.fd)];
    if (last != &removed) return;
    last = nullptr;
    // Fails when the owner of a foreign descriptor has closed it already, which also removes it.
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, removed.fd, nullptr);
}

int epoll_poller::wait_for_events(time_point deadline) noexcept {
    const wait_time time(deadline);
    const int room = static_cast<int>(native_.size());
    if (has_pwait2_) {
        const int count = ::epoll_pwait2(epoll_, native_.data(), room, time.get(), nullptr);
        // Older than Linux 5.11, or a sandbox that is.
        if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return count;
        has_pwait2_ = false;
    }
    return ::epoll_wait(epoll_, native_.data(), room, time.milliseconds());
}

std::span<const poll_event> epoll_poller::wait(time_point deadline) noexcept {
    const int got = wait_for_events(deadline);
    if (got < 0) {
        if (errno != EINTR) fatal("epoll_wait: errno %d", errno);
        return {};
    }
    std::size_t count = 0;
    for (std::size_t at = 0; at < static_cast<std::size_t>(got); ++at) {
        const epoll_event& event = native_[at];
        if (event.data.u64 == wake_key)
            wake_.lower_edge();
        else
            events_[count++] = {event.data.u64, ready_of(event.events)};
    }
    return {events_.data(), count};
}

}  // namespace upcall
