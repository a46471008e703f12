#include "driver/posix/socket_calls.hpp"

#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "driver/posix/messages.hpp"
#include "driver/posix/posix_driver.hpp"
#include "driver/posix/sockaddr.hpp"
#include "driver/posix/system_call.hpp"

namespace upcall {
namespace {

static_assert(no_buffer == -ENOBUFS);

int fd_of(const io_operation& op) noexcept { return static_cast<int>(op.target->native); }

bool is_socket(const io_operation& op) noexcept {
    return static_cast<posix_record*>(op.target)->is_socket;
}

struct pieces {
    iovec* first;
    std::size_t count;
};

/// The pieces of a vectored transfer without leading empty ones, as many as one call takes.
pieces pieces_of(const io_operation& op) noexcept {
    auto* first = static_cast<iovec*>(op.data);
    std::size_t count = op.size;
    while (count > 0 && first->iov_len == 0) {
        ++first;
        --count;
    }
    return {first, std::min<std::size_t>(count, IOV_MAX)};
}

std::int64_t read_pieces(const io_operation& op) noexcept {
    const auto [first, count] = pieces_of(op);
    if (!is_socket(op))
        return system_call([&] { return ::readv(fd_of(op), first, static_cast<int>(count)); });
    msghdr header{};
    header.msg_iov = first;
    header.msg_iovlen = count;
    return system_call([&] { return ::recvmsg(fd_of(op), &header, MSG_DONTWAIT); });
}

std::int64_t write_pieces(const io_operation& op) noexcept {
    const auto [first, count] = pieces_of(op);
    if (!is_socket(op))
        return system_call([&] { return ::writev(fd_of(op), first, static_cast<int>(count)); });
    msghdr header{};
    header.msg_iov = first;
    header.msg_iovlen = count;
    return system_call([&] { return ::sendmsg(fd_of(op), &header, MSG_DONTWAIT | MSG_NOSIGNAL); });
}

std::int64_t try_read(io_operation& op) noexcept {
    if (op.flags & op_vectored) return read_pieces(op);
    if (is_socket(op))
        return system_call([&] { return ::recv(fd_of(op), op.data, op.size, MSG_DONTWAIT); });
    return system_call([&] { return ::read(fd_of(op), op.data, op.size); });
}

std::int64_t try_write(io_operation& op) noexcept {
    if (op.flags & op_vectored) return write_pieces(op);
    if (!is_socket(op)) return system_call([&] { return ::write(fd_of(op), op.data, op.size); });
    return system_call(
        [&] { return ::send(fd_of(op), op.data, op.size, MSG_DONTWAIT | MSG_NOSIGNAL); });
}

std::int64_t read_into(const io_operation& op, std::byte* block, std::size_t size) noexcept {
    const auto got = is_socket(op)
                         ? system_call([&] { return ::recv(fd_of(op), block, size, MSG_DONTWAIT); })
                         : system_call([&] { return ::read(fd_of(op), block, size); });
    return got == no_buffer ? -ENOMEM : got;
}

/// Reads into a large buffer, which is nearly always the same warm one: what fits into a small
/// buffer is copied there, and the large one is free again.
std::int64_t try_receive(io_operation& op) noexcept {
    buffer_pool& pool = op.via->buffers();
    std::byte* block = pool.take_large();
    const bool large = block != nullptr;
    if (!large) block = pool.take_small();
    if (!block) return no_buffer;
    const std::int64_t got = read_into(op, block, large ? pool.large_bytes() : pool.small_bytes());
    if (got <= 0) {
        pool.give_back(block);
        return got;
    }
    const auto size = static_cast<std::size_t>(got);
    if (large && !(op.flags & op_bulk) && size <= pool.small_bytes()) {
        if (std::byte* small = pool.take_small()) {
            std::memcpy(small, block, size);
            pool.give_back(block);
            block = small;
        }
    }
    op.leased = block;
    return got;
}

/// Errors that accept(2) passes on from a connection which has died in the queue.
bool died_in_queue(std::int64_t outcome) noexcept {
    switch (-outcome) {
        case ECONNABORTED:
        case EPROTO:
        case ENOPROTOOPT:
        case ENETDOWN:
        case ENETUNREACH:
        case EHOSTDOWN:
        case EHOSTUNREACH:
        case ENONET:
            return true;
        default:
            return false;
    }
}

std::int64_t try_accept(io_operation& op) noexcept {
    std::int64_t outcome = 0;
    // More than a full queue of dead connections is some other failure, which is reported.
    for (int tries = 0; tries < 4096; ++tries) {
        outcome = system_call(
            [&] { return ::accept4(fd_of(op), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC); });
        if (!died_in_queue(outcome)) break;
    }
    return outcome;
}

std::int64_t try_receive_message(io_operation& op) noexcept {
    auto& received = *static_cast<message*>(op.data);
    msghdr* header = prepare_receive(received);
    const int flags = MSG_DONTWAIT | receive_message_flags(*op.target);
    const auto got = system_call([&] { return ::recvmsg(fd_of(op), header, flags); });
    if (got >= 0) finish_receive(received);
    return got;
}

std::int64_t try_send_message(io_operation& op) noexcept {
    msghdr* header = prepare_send(*static_cast<message*>(op.data));
    if (!header) return -EINVAL;
    return system_call([&] { return ::sendmsg(fd_of(op), header, MSG_DONTWAIT | MSG_NOSIGNAL); });
}

std::int64_t try_poll(const io_operation& op) noexcept {
    pollfd asked{.fd = fd_of(op), .events = 0, .revents = 0};
    if (op.size & ready_to_read) asked.events |= POLLIN | POLLPRI | POLLRDHUP;
    if (op.size & ready_to_write) asked.events |= POLLOUT;
    const auto count = system_call([&] { return ::poll(&asked, 1, 0); });
    if (count < 0) return count;
    if (asked.revents & POLLNVAL) return -EBADF;
    std::int64_t ready = 0;
    // After an error or a hang-up no call would block.
    if (asked.revents & (POLLERR | POLLHUP)) ready = ready_to_read | ready_to_write;
    if (asked.revents & (POLLIN | POLLPRI | POLLRDHUP)) ready |= ready_to_read;
    if (asked.revents & POLLOUT) ready |= ready_to_write;
    ready &= static_cast<std::int64_t>(op.size);
    return ready ? ready : -EAGAIN;
}

bool connected_to_itself(const io_operation& op) noexcept {
    const auto& peer = *static_cast<const address*>(op.data);
    if (peer.family() != address_family::ipv4 && peer.family() != address_family::ipv6)
        return false;
    kernel_address local;
    if (::getsockname(fd_of(op), local.get(), &local.size) != 0) return false;
    return from_kernel(local.storage, local.size) == peer;
}

std::int64_t connected(io_operation& op) noexcept {
    if (op.target->kind != handle_kind::stream || !connected_to_itself(op)) return 0;
    ::shutdown(fd_of(op), SHUT_RDWR);
    op.target->broken = true;
    return -ECONNREFUSED;
}

std::int64_t try_connect(io_operation& op) noexcept {
    kernel_address peer(*static_cast<const address*>(op.data));
    // Interrupted, it goes on by itself (connect(2)); a non-blocking one is not.
    const int outcome = ::connect(fd_of(op), peer.get(), peer.size);
    if (outcome == 0) return connected(op);
    return errno == EINTR ? -EINPROGRESS : -errno;
}

bool moves_nothing(const io_operation& op) noexcept {
    if (op.kind != op_kind::read && op.kind != op_kind::write) return false;
    if (op.kind == op_kind::write && op.target->kind == handle_kind::datagram) return false;
    return op.flags & op_vectored ? pieces_of(op).count == 0 : op.size == 0;
}

}  // namespace

std::int64_t finish_connect(io_operation& op) noexcept {
#if defined(__linux__)
    // Linux counts the socket as connecting until somebody asks again by connecting. Past the C
    // library, as ThreadSanitizer takes connect(2) for the making of a new descriptor, and a read
    // that waits on another thread for a race.
    kernel_address peer(*static_cast<const address*>(op.data));
    const auto outcome =
        system_call([&] { return ::syscall(SYS_connect, fd_of(op), peer.get(), peer.size); });
    if (outcome == 0 || outcome == -EISCONN) return connected(op);
    return outcome == -EALREADY ? -EINPROGRESS : outcome;
#else
    // SO_ERROR is 0 for a socket that is still connecting, too.
    pollfd asked{.fd = fd_of(op), .events = POLLOUT, .revents = 0};
    if (::poll(&asked, 1, 0) == 0) return -EINPROGRESS;
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(fd_of(op), SOL_SOCKET, SO_ERROR, &error, &size) != 0) return -errno;
    return error != 0 ? -error : connected(op);
#endif
}

bool waits_in_silence(const io_operation& op) noexcept {
    if (op.kind == op_kind::connect) return true;  // TCP gives EINPROGRESS instead
    return op.kind == op_kind::send_message &&
           static_cast<const message*>(op.data)->peer.family() == address_family::unix_path;
}

bool is_answered_at_once(io_operation& op) noexcept {
    if (op.target->kind == handle_kind::foreign && op.kind != op_kind::poll)
        op.result = raw_error(errc::unsupported);
    else if (op.kind == op_kind::accept && op.target->kind != handle_kind::listener)
        op.result = -EINVAL;
    else if (moves_nothing(op))
        op.result = 0;
    else
        return false;
    return true;
}

bool waits_to_write(const io_operation& op) noexcept {
    return op.kind == op_kind::connect || op.kind == op_kind::write ||
           op.kind == op_kind::send_message;
}

std::int64_t try_call(io_operation& op) noexcept {
    switch (op.kind) {
        case op_kind::connect:
            return try_connect(op);
        case op_kind::accept:
            return try_accept(op);
        case op_kind::read:
            return try_read(op);
        case op_kind::write:
            return try_write(op);
        case op_kind::receive:
            return try_receive(op);
        case op_kind::receive_message:
            return try_receive_message(op);
        case op_kind::send_message:
            return try_send_message(op);
        case op_kind::poll:
            return try_poll(op);
        case op_kind::file_read:
        case op_kind::file_write:
        case op_kind::file_call:
        case op_kind::work:
            break;
    }
    return -EOPNOTSUPP;
}

}  // namespace upcall
