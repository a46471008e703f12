#include "driver/readiness/poll_poller.hpp"

#include <algorithm>
#include <cerrno>
#include <new>

#include <upcall/base/fatal.hpp>

#include "driver/posix/wait_time.hpp"
#include "driver/readiness/poll_events.hpp"

namespace upcall {
std::int64_t poll_poller::open() noexcept {
    if (const std::int64_t refused = wake_.open(); refused < 0) return refused;
    try {
        native_.push_back({.fd = wake_.fd(), .events = POLLIN, .revents = 0});
        watches_.push_back(nullptr);
    } catch (const std::bad_alloc&) {
        return -ENOMEM;
    }
    return 0;
}

std::int64_t poll_poller::add(watch& added) noexcept {
    // Room for all of them, so that arming cannot fail.
    const std::size_t wanted = added_ + 2;
    if (wanted > std::min({native_.capacity(), watches_.capacity(), events_.capacity()})) {
        try {
            const std::size_t room = std::max<std::size_t>(64, 2 * wanted);
            native_.reserve(room);
            watches_.reserve(room);
            events_.reserve(room);
        } catch (const std::bad_alloc&) {
            return -ENOMEM;
        }
    }
    ++added_;
    added.position = 0;
    return 0;
}

std::int64_t poll_poller::arm(watch& armed, std::uint32_t interest) noexcept {
    if (interest == armed.interest) return 0;
    armed.interest = interest;
    // Left in with no interest, a descriptor that has hung up would end every wait.
    if (interest == 0) {
        drop(armed);
        return 0;
    }
    if (armed.position == 0) {
        armed.position = static_cast<std::uint32_t>(native_.size());
        native_.push_back({.fd = armed.fd, .events = 0, .revents = 0});
        watches_.push_back(&armed);
    }
    native_[armed.position].events = events_of(interest);
    return 0;
}

void poll_poller::drop(watch& dropped) noexcept {
    if (dropped.position == 0) return;
    native_[dropped.position] = native_.back();
    watches_[dropped.position] = watches_.back();
    watches_[dropped.position]->position = dropped.position;
    native_.pop_back();
    watches_.pop_back();
    dropped.position = 0;
}

void poll_poller::remove(watch& removed) noexcept {
    drop(removed);
    --added_;
}

std::span<const poll_event> poll_poller::wait(time_point deadline) noexcept {
    const wait_time time(deadline);
    int left = ::ppoll(native_.data(), native_.size(), time.get(), nullptr);
    if (left < 0) {
        if (errno != EINTR && errno != ENOMEM) fatal("ppoll: errno %d", errno);
        return {};
    }
    events_.clear();
    if (left > 0 && native_[0].revents) {
        wake_.lower();
        --left;
    }
    for (std::size_t at = 1; left > 0 && at < native_.size(); ++at) {
        if (native_[at].revents == 0) continue;
        events_.push_back({watches_[at]->key, ready_of(native_[at].revents)});
        --left;
    }
    return events_;
}

}  // namespace upcall
