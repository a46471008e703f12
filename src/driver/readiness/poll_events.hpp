// What poll(2) is asked for, and what it says, as readiness: for the pollers that use it.
#pragma once

#include <poll.h>

#include <cstdint>

#include "driver/readiness/poller.hpp"

namespace upcall {

inline short events_of(std::uint32_t interest) noexcept {
    short events = 0;
    if (interest & ready_to_read) events |= POLLIN | POLLPRI;
    if (interest & ready_to_write) events |= POLLOUT;
    return events;
}

inline std::uint32_t ready_of(short events) noexcept {
    std::uint32_t ready = 0;
    if (events & (POLLIN | POLLPRI)) ready |= ready_to_read;
    if (events & POLLOUT) ready |= ready_to_write;
    // POLLNVAL: its owner has closed it. Whatever is tried now says so.
    if (events & (POLLERR | POLLHUP | POLLNVAL)) ready |= ready_to_read | ready_to_write;
    return ready;
}

}  // namespace upcall
