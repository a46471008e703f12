#include "driver/posix/wake_signal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#if defined(__linux__)
#include <sys/eventfd.h>
#endif

namespace upcall {

std::int64_t wake_signal::open() noexcept {
#if defined(__linux__)
    reading_ = writing_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return reading_ < 0 ? -errno : 0;
#else
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0) return -errno;
    reading_ = fds[0];
    writing_ = fds[1];
    return 0;
#endif
}

wake_signal::~wake_signal() {
    if (reading_ >= 0) ::close(reading_);
    if (writing_ >= 0 && writing_ != reading_) ::close(writing_);
}

void wake_signal::write() noexcept {
    const std::uint64_t one = 1;
    // Full means readable, which is all that is asked for.
    while (::write(writing_, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

void wake_signal::empty() noexcept {
    std::uint64_t drained[8];
    // An eventfd is empty after one read; a pipe holds one number per raise, so at most one.
    while (::read(reading_, drained, sizeof drained) < 0 && errno == EINTR) {
    }
}

}  // namespace upcall
