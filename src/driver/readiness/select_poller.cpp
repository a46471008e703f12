#include "driver/readiness/select_poller.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include <upcall/base/fatal.hpp>

#include "driver/posix/wait_time.hpp"

namespace upcall {
namespace {

void put(fd_set& set, int fd, bool in) noexcept {
    if (in)
        FD_SET(fd, &set);
    else
        FD_CLR(fd, &set);
}

}  // namespace

std::int64_t select_poller::open() noexcept {
    FD_ZERO(&reading_);
    FD_ZERO(&writing_);
    if (const std::int64_t refused = wake_.open(); refused < 0) return refused;
    if (!can_watch(wake_.fd())) return -EMFILE;
    FD_SET(wake_.fd(), &reading_);
    count_ = wake_.fd() + 1;
    return 0;
}

std::int64_t select_poller::add(watch& added) noexcept {
    if (!can_watch(added.fd)) return -EMFILE;
    watch*& place = watches_[static_cast<std::size_t>(added.fd)];
    if (place) return -EEXIST;
    place = &added;
    return 0;
}

std::int64_t select_poller::arm(watch& armed, std::uint32_t interest) noexcept {
    if (interest == armed.interest) return 0;
    armed.interest = interest;
    put(reading_, armed.fd, interest & ready_to_read);
    put(writing_, armed.fd, interest & ready_to_write);
    if (interest) count_ = std::max(count_, armed.fd + 1);
    return 0;
}

void select_poller::remove(watch& removed) noexcept {
    arm(removed, 0);
    watches_[static_cast<std::size_t>(removed.fd)] = nullptr;
    const auto in_use = [this](int fd) {
        return FD_ISSET(fd, &reading_) || FD_ISSET(fd, &writing_);
    };
    while (count_ > 0 && !in_use(count_ - 1)) --count_;
}

std::span<const poll_event> select_poller::wait(time_point deadline) noexcept {
    const wait_time time(deadline);
    fd_set reading = reading_;
    fd_set writing = writing_;
    int left = ::pselect(count_, &reading, &writing, nullptr, time.get(), nullptr);
    if (left < 0) {
        if (errno == EBADF) return find_closed();
        if (errno != EINTR && errno != ENOMEM) fatal("pselect: errno %d", errno);
        return {};
    }
    std::size_t count = 0;
    for (int fd = 0; left > 0 && fd < count_; ++fd) {
        std::uint32_t ready = 0;
        if (FD_ISSET(fd, &reading)) ready |= ready_to_read;
        if (FD_ISSET(fd, &writing)) ready |= ready_to_write;
        if (ready == 0) continue;
        left -= ready == (ready_to_read | ready_to_write) ? 2 : 1;
        if (fd == wake_.fd())
            wake_.lower();
        else
            events_[count++] = {watches_[static_cast<std::size_t>(fd)]->key, ready};
    }
    return {events_.data(), count};
}

/// One descriptor that its owner has closed makes the whole call fail: find which, so that what
/// waits for it is told, and waits no more.
std::span<const poll_event> select_poller::find_closed() noexcept {
    std::size_t count = 0;
    for (int fd = 0; fd < count_; ++fd) {
        if (!FD_ISSET(fd, &reading_) && !FD_ISSET(fd, &writing_)) continue;
        if (::fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
        if (fd == wake_.fd()) fatal("the program has closed the library's own descriptor %d", fd);
        events_[count++] = {watches_[static_cast<std::size_t>(fd)]->key,
                            ready_to_read | ready_to_write};
    }
    return {events_.data(), count};
}

}  // namespace upcall
