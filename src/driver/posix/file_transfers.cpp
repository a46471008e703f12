#include "driver/posix/file_transfers.hpp"

#include <limits.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>

#include <upcall/driver/driver.hpp>

#include "driver/posix/system_call.hpp"

namespace upcall {
namespace {

constexpr std::size_t copy_buffer_bytes = std::size_t{256} << 10;
/// A copy through memory is slow: one call does no more than this.
constexpr std::uint64_t copy_slowly_max = std::uint64_t{16} << 20;

int fd_of(const io_operation& op) noexcept { return static_cast<int>(op.target->native); }

int piece_count(const io_operation& op) noexcept {
    return static_cast<int>(std::min<std::size_t>(op.size, IOV_MAX));
}

/// Some file systems answer EAGAIN on a descriptor in non-blocking mode, and terminals and devices
/// do so rightly: wait until it is worth another try.
template <class Call>
std::int64_t patiently(int fd, short events, Call&& call) noexcept {
    for (;;) {
        const std::int64_t outcome = system_call(call);
        if (outcome != -EAGAIN) return outcome;
        pollfd ready{.fd = fd, .events = events, .revents = 0};
        const auto waited = system_call([&] { return ::poll(&ready, 1, -1); });
        if (waited < 0) return waited;
        if (ready.revents & POLLNVAL) return -EBADF;
    }
}

/// Moves all `size` bytes at `data` to `offset`; bytes written, or the error of the first write.
std::int64_t write_fully(int fd, const std::byte* data, std::size_t size, off_t offset) noexcept {
    std::size_t done = 0;
    while (done < size) {
        const auto at = offset + static_cast<off_t>(done);
        const auto wrote = system_call([&] { return ::pwrite(fd, data + done, size - done, at); });
        if (wrote < 0) return done ? static_cast<std::int64_t>(done) : wrote;
        done += static_cast<std::size_t>(wrote);
    }
    return static_cast<std::int64_t>(done);
}

std::int64_t copy_through_memory(int from, int to, off_t offset, off_t other_offset,
                                 std::uint64_t size) noexcept {
    const std::unique_ptr<std::byte[]> buffer(new (std::nothrow) std::byte[copy_buffer_bytes]);
    if (!buffer) return -ENOMEM;
    std::uint64_t done = 0;
    while (done < size) {
        const auto part = std::min<std::uint64_t>(size - done, copy_buffer_bytes);
        const auto moved = static_cast<off_t>(done);
        const auto got =
            system_call([&] { return ::pread(from, buffer.get(), part, offset + moved); });
        if (got == 0) break;
        const auto put = got < 0 ? got
                                 : write_fully(to, buffer.get(), static_cast<std::size_t>(got),
                                               other_offset + moved);
        if (put < 0) return done ? static_cast<std::int64_t>(done) : put;
        done += static_cast<std::uint64_t>(put);
        if (put < got) break;
    }
    return static_cast<std::int64_t>(done);
}

/// What copy_file_range(2) answers where it does not work between these two files.
bool cannot_copy_in_kernel(std::int64_t outcome) noexcept {
    return outcome == -EXDEV || outcome == -EINVAL || outcome == -ENOSYS ||
           outcome == -EOPNOTSUPP || outcome == -EPERM;
}

}  // namespace

std::int64_t transfer_at_offset(io_operation& op) noexcept {
    const int fd = fd_of(op);
    if (op.offset > INT64_MAX) return -EINVAL;
    const auto offset = static_cast<off_t>(op.offset);
    const bool reads = op.kind == op_kind::file_read;
    if (op.size == 0) return 0;
    if (op.flags & op_vectored) {
        const auto* pieces = static_cast<const iovec*>(op.data);
        if (reads)
            return patiently(fd, POLLIN,
                             [&] { return ::preadv(fd, pieces, piece_count(op), offset); });
        return patiently(fd, POLLOUT,
                         [&] { return ::pwritev(fd, pieces, piece_count(op), offset); });
    }
    if (reads) return patiently(fd, POLLIN, [&] { return ::pread(fd, op.data, op.size, offset); });
    return patiently(fd, POLLOUT, [&] { return ::pwrite(fd, op.data, op.size, offset); });
}

std::int64_t transfer_at_position(io_operation& op) noexcept {
    const int fd = fd_of(op);
    if (op.kind == op_kind::receive) {
        const std::size_t room = op.via->buffers().large_bytes();
        return patiently(fd, POLLIN, [&] { return ::read(fd, op.leased, room); });
    }
    const bool reads = op.kind == op_kind::read;
    if (op.size == 0) return 0;
    if (op.flags & op_vectored) {
        const auto* pieces = static_cast<const iovec*>(op.data);
        if (reads)
            return patiently(fd, POLLIN, [&] { return ::readv(fd, pieces, piece_count(op)); });
        return patiently(fd, POLLOUT, [&] { return ::writev(fd, pieces, piece_count(op)); });
    }
    if (reads) return patiently(fd, POLLIN, [&] { return ::read(fd, op.data, op.size); });
    return patiently(fd, POLLOUT, [&] { return ::write(fd, op.data, op.size); });
}

std::int64_t copy_range(int from, const file_call_arguments& asked) noexcept {
    const int to = static_cast<int>(asked.other->native);
    if (asked.offset > INT64_MAX || asked.other_offset > INT64_MAX) return -EINVAL;
    auto offset = static_cast<off_t>(asked.offset);
    auto other_offset = static_cast<off_t>(asked.other_offset);
    const std::uint64_t size = std::min(asked.size, copy_bytes_max);
    if (size == 0) return 0;
    const auto copied =
        system_call([&] { return ::copy_file_range(from, &offset, to, &other_offset, size, 0); });
    // Files that are made up as they are read, as in /proc, look empty to the kernel's copy.
    if (copied != 0 && !cannot_copy_in_kernel(copied)) return copied;
    return copy_through_memory(from, to, offset, other_offset, std::min(size, copy_slowly_max));
}

}  // namespace upcall
