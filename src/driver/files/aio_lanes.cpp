#include "driver/files/aio_lanes.hpp"

#if defined(__linux__)

#include <fcntl.h>
#include <unistd.h>

namespace upcall {

aio_lanes::~aio_lanes() {
    for (lane& each : lanes_) close(each);
}

int aio_lanes::take(const handle_record& file) noexcept {
    lane* best = nullptr;
    lane* empty = nullptr;
    unsigned count = 0;
    for (lane& each : lanes_) {
        if (!each.of && !empty) empty = &each;
        if (each.of != &file) continue;
        ++count;
        if (!best || each.in_flight < best->in_flight) best = &each;
    }
    const int own = static_cast<int>(file.native);
    if (empty && (!best || (best->in_flight > 0 && count < per_file))) {
        const int fd = best ? ::fcntl(own, F_DUPFD_CLOEXEC, 0) : own;
        if (fd >= 0) {
            *empty = {.of = &file, .fd = fd};
            best = empty;
        }
    }
    if (!best) return own;
    ++best->in_flight;
    return best->fd;
}

void aio_lanes::give_back(const handle_record& file, int fd) noexcept {
    for (lane& each : lanes_) {
        if (each.of != &file || each.fd != fd) continue;
        // One that began when there was no room for a note of it is not counted.
        if (each.in_flight > 0) --each.in_flight;
        return;
    }
}

void aio_lanes::forget(const handle_record& file) noexcept {
    for (lane& each : lanes_)
        if (each.of == &file) close(each);
}

void aio_lanes::close(lane& left) noexcept {
    if (left.of && left.fd != static_cast<int>(left.of->native)) ::close(left.fd);
    left = {};
}

}  // namespace upcall

#endif
