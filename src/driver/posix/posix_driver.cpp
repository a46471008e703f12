#include "driver/posix/posix_driver.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/epoll.h>
#endif

#include <cerrno>
#include <new>

#include <upcall/base/fatal.hpp>

#include "driver/posix/sockaddr.hpp"

namespace upcall {
namespace {

std::unexpected<std::error_code> last_error() noexcept {
    return failure({errno, std::generic_category()});
}

int kernel_type(socket_type type) noexcept {
    switch (type) {
        case socket_type::stream:
            return SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
        case socket_type::datagram:
            return SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
        case socket_type::sequential:
            return SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC;
    }
    return -1;
}

handle_kind kind_of(socket_type type) noexcept {
    return type == socket_type::stream ? handle_kind::stream : handle_kind::datagram;
}

int kernel_direction(shut direction) noexcept {
    switch (direction) {
        case shut::reading:
            return SHUT_RD;
        case shut::writing:
            return SHUT_WR;
        case shut::both:
            break;
    }
    return SHUT_RDWR;
}

void set_blocking(int fd, bool blocking) noexcept {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags >= 0) ::fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

/// Some files of /proc can be waited for, as /proc/kmsg. Nothing else is asked, as asking a file of
/// a hung file system would hang as well. Where epoll is not to be had such a file counts as one
/// that blocks.
bool tells_readiness([[maybe_unused]] int fd, [[maybe_unused]] const struct stat& file) noexcept {
#if defined(__linux__)
    struct stat made_up{};
    if (::stat("/proc", &made_up) != 0 || file.st_dev != made_up.st_dev) return false;
    const int asked = ::epoll_create1(EPOLL_CLOEXEC);
    if (asked < 0) return false;
    epoll_event event{};
    event.events = EPOLLIN;
    const bool watched = ::epoll_ctl(asked, EPOLL_CTL_ADD, fd, &event) == 0;
    ::close(asked);
    return watched;
#else
    return false;
#endif
}

}  // namespace

time_point posix_driver::now() noexcept { return clock::now(); }

std::uint64_t posix_driver::random() noexcept {
    if (random_left_ == 0) {
        // Up to 256 bytes arrive whole; only the first call after boot may be interrupted.
        ssize_t got = 0;
        do got = ::getrandom(random_.data(), sizeof random_, 0);
        while (got < 0 && errno == EINTR);
        if (got != sizeof random_) [[unlikely]]
            fatal("the system gives no random numbers: errno %d", errno);
        random_left_ = random_.size();
    }
    return random_[--random_left_];
}

result<handle> posix_driver::wrap(int fd, handle_kind kind, bool is_socket, bool was_blocking,
                                  bool blocks) noexcept {
    posix_record* record = nullptr;
    try {
        record = make_record();
    } catch (const std::bad_alloc&) {
        return failure(std::make_error_code(std::errc::not_enough_memory));
    }
    record->via = this;
    record->native = fd;
    record->kind = kind;
    record->is_socket = is_socket;
    record->was_blocking = was_blocking;
    record->blocks = blocks;
    if (const std::int64_t refused = attach(*record); refused < 0) {
        free_record(*record);
        return failure(error_from_raw(refused));
    }
    return hand_out(*record);
}

result<handle> posix_driver::wrap_or_close(int fd, handle_kind kind, bool is_socket) noexcept {
    auto made = wrap(fd, kind, is_socket, true);
    if (!made) ::close(fd);
    return made;
}

result<std::pair<handle, handle>> posix_driver::wrap_both(const int (&fds)[2], handle_kind kind,
                                                          bool is_socket) noexcept {
    auto first = wrap_or_close(fds[0], kind, is_socket);
    auto second = wrap_or_close(fds[1], kind, is_socket);
    if (!first) return failure(first.error());
    if (!second) return failure(second.error());
    return std::pair(std::move(*first), std::move(*second));
}

result<handle> posix_driver::open_socket(address_family family, socket_type type) noexcept {
    const int fd = ::socket(kernel_family(family), kernel_type(type), 0);
    if (fd < 0) return last_error();
    return wrap_or_close(fd, kind_of(type), true);
}

result<std::pair<handle, handle>> posix_driver::open_pair(socket_type type) noexcept {
    int fds[2];
    if (::socketpair(AF_UNIX, kernel_type(type), 0, fds) != 0) return last_error();
    return wrap_both(fds, kind_of(type), true);
}

result<std::pair<handle, handle>> posix_driver::open_pipe() noexcept {
    int fds[2];
    if (::pipe2(fds, O_NONBLOCK | O_CLOEXEC) != 0) return last_error();
    return wrap_both(fds, handle_kind::stream, false);
}

result<void> posix_driver::bind(handle_record& target, const address& where) noexcept {
    kernel_address native(where);
    if (::bind(record_of(target).fd(), native.get(), native.size) != 0) return last_error();
    return {};
}

result<void> posix_driver::listen(handle_record& target, int backlog) noexcept {
    if (::listen(record_of(target).fd(), backlog) != 0) return last_error();
    target.kind = handle_kind::listener;
    return {};
}

result<address> posix_driver::local_address(handle_record& target) noexcept {
    kernel_address native;
    if (::getsockname(record_of(target).fd(), native.get(), &native.size) != 0) return last_error();
    return from_kernel(native.storage, native.size);
}

result<address> posix_driver::peer_address(handle_record& target) noexcept {
    kernel_address native;
    if (::getpeername(record_of(target).fd(), native.get(), &native.size) != 0) return last_error();
    return from_kernel(native.storage, native.size);
}

result<void> posix_driver::shut_down(handle_record& target, shut direction) noexcept {
    if (::shutdown(record_of(target).fd(), kernel_direction(direction)) != 0) return last_error();
    return {};
}

result<handle> posix_driver::adopt(native_handle native, handle_kind kind) noexcept {
    const int fd = static_cast<int>(native);
    struct stat status{};
    if (::fstat(fd, &status) != 0) return last_error();
    const bool is_socket = S_ISSOCK(status.st_mode);
    // Files never wait for readiness, and io_uring takes O_NONBLOCK on them for "never wait".
    const bool is_file = S_ISREG(status.st_mode) || S_ISBLK(status.st_mode);
    if (kind == handle_kind::foreign || kind == handle_kind::file)
        return wrap(fd, kind, is_socket, false);
    if (is_file) return wrap(fd, kind, is_socket, false, !tells_readiness(fd, status));
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0) return last_error();
    const bool was_blocking = !(flags & O_NONBLOCK);
    if (was_blocking && ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) return last_error();
    auto made = wrap(fd, kind, is_socket, was_blocking);
    if (made)
        record_of(*made->record()).adopted = true;
    else if (was_blocking)
        set_blocking(fd, true);
    return made;
}

result<handle> posix_driver::adopt_accepted(native_handle native) noexcept {
    // accept4 was asked for a non-blocking socket already.
    return wrap(static_cast<int>(native), handle_kind::stream, true, true);
}

result<native_handle> posix_driver::release(handle& from) noexcept {
    posix_record& record = record_of(*from.record());
    if (record.in_flight != 0)
        return failure(std::make_error_code(std::errc::device_or_resource_busy));
    detach(record);
    from.detach();
    const native_handle native = record.native;
    if (record.was_blocking) set_blocking(record.fd(), true);
    free_record(record);
    note_gone();
    return native;
}

std::int64_t posix_driver::destroy(handle_record& target) noexcept {
    posix_record& record = record_of(target);
    detach(record);
    std::int64_t outcome = 0;
    if (record.adopted && record.was_blocking && !record.is_socket) set_blocking(record.fd(), true);
    // Linux frees the descriptor first whatever close then reports, EINTR included (close(2)):
    // never a second try.
    if (record.kind != handle_kind::foreign && ::close(record.fd()) != 0 && errno != EINTR)
        outcome = -errno;
    free_record(record);
    note_gone();
    return outcome;
}

}  // namespace upcall
