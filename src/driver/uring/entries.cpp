#include "driver/uring/entries.hpp"

#include <limits.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <new>

#include <upcall/base/fatal.hpp>
#include <upcall/base/recycler.hpp>

#include "driver/posix/messages.hpp"
#include "driver/posix/posix_driver.hpp"
#include "driver/posix/sockaddr.hpp"
#include "driver/posix/socket_calls.hpp"
#include "driver/uring/buffer_group.hpp"

namespace upcall {

using namespace uring_abi;

namespace {

constexpr std::uint64_t no_position = ~std::uint64_t{0};

/// A connecting socket's peer, where the kernel can read it until it has answered.
struct connect_block : kernel_address, recycled {
    using kernel_address::kernel_address;
};

/// The header of a vectored send. writev(2) on a socket would raise SIGPIPE, and cannot be asked to
/// go on after a short transfer.
struct send_block : recycled {
    msghdr header{};
};

template <class T>
std::uint64_t address_of(const T* pointer) noexcept {
    return reinterpret_cast<std::uint64_t>(pointer);
}

bool is_socket(const io_operation& op) noexcept {
    return static_cast<posix_record*>(op.target)->is_socket;
}

void fill_buffer(sqe& entry, const io_operation& op) noexcept {
    entry.addr = address_of(op.data);
    const std::size_t most = op.flags & op_vectored ? IOV_MAX : INT_MAX;
    entry.len =
        static_cast<std::uint32_t>(std::min(op.size, most));  // the rest is a short transfer
}

void fill_connect(sqe& entry, io_operation& op) noexcept {
    auto* peer = static_cast<connect_block*>(op.driver_block);
    entry.opcode = uring_abi::op::connect;
    entry.addr = address_of(peer->get());
    entry.off = peer->size;
}

void fill_accept(sqe& entry, const io_operation& op, const entry_forms& forms) noexcept {
    entry.opcode = uring_abi::op::accept;
    entry.accept_flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
    if (op.is_source() && forms.multishot_accept) entry.ioprio = accept_flag::multishot;
}

void fill_stream(sqe& entry, const io_operation& op) noexcept {
    const bool reading = op.kind == op_kind::read;
    fill_buffer(entry, op);
    const bool vectored = op.flags & op_vectored;
    if (vectored && !reading && is_socket(op)) {
        entry.opcode = uring_abi::op::sendmsg;
        entry.addr = address_of(&static_cast<send_block*>(op.driver_block)->header);
        entry.len = 1;
        entry.msg_flags = MSG_NOSIGNAL;
        if (op.flags & op_whole) entry.msg_flags |= MSG_WAITALL;
    } else if (vectored) {
        entry.opcode = reading ? uring_abi::op::readv : uring_abi::op::writev;
        entry.off = no_position;
    } else if (!is_socket(op)) {
        entry.opcode = reading ? uring_abi::op::read : uring_abi::op::write;
        entry.off = no_position;
    } else if (reading) {
        entry.opcode = uring_abi::op::recv;
    } else {
        entry.opcode = uring_abi::op::send;
        entry.msg_flags = MSG_NOSIGNAL;
        if (op.flags & op_whole) entry.msg_flags |= MSG_WAITALL;  // short sends go on in the kernel
    }
}

void fill_receive(sqe& entry, const io_operation& op, const entry_forms& forms) noexcept {
    entry.flags = sqe_flag::buffer_select;
    entry.buf_group = buffer_group::id;
    if (!is_socket(op)) {
        entry.opcode = uring_abi::op::read;
        entry.off = no_position;
    } else {
        entry.opcode = uring_abi::op::recv;
        if (op.is_source() && forms.multishot_receive) {
            entry.ioprio = recvsend_flag::recv_multishot;
            return;  // each completion takes what one buffer holds
        }
    }
    entry.len = static_cast<std::uint32_t>(op.via->buffers().small_bytes());
}

void fill_message(sqe& entry, io_operation& op) noexcept {
    auto& content = *static_cast<message*>(op.data);
    entry.len = 1;
    if (op.kind == op_kind::receive_message) {
        entry.opcode = uring_abi::op::recvmsg;
        entry.addr = address_of(prepare_receive(content));
        entry.msg_flags = static_cast<std::uint32_t>(receive_message_flags(*op.target));
    } else {
        entry.opcode = uring_abi::op::sendmsg;
        entry.addr = address_of(prepare_send(content));
        entry.msg_flags = MSG_NOSIGNAL;
    }
}

void fill_file(sqe& entry, const io_operation& op) noexcept {
    const bool vectored = op.flags & op_vectored;
    fill_buffer(entry, op);
    entry.off = op.offset;
    if (op.kind == op_kind::file_read)
        entry.opcode = vectored ? uring_abi::op::readv : uring_abi::op::read;
    else
        entry.opcode = vectored ? uring_abi::op::writev : uring_abi::op::write;
}

}  // namespace

void fill_entry(sqe& entry, io_operation& op, const entry_forms& forms) noexcept {
    entry.fd = static_cast<std::int32_t>(op.target->native);
    switch (op.kind) {
        case op_kind::connect:
            return fill_connect(entry, op);
        case op_kind::accept:
            return fill_accept(entry, op, forms);
        case op_kind::read:
        case op_kind::write:
            return fill_stream(entry, op);
        case op_kind::receive:
            return fill_receive(entry, op, forms);
        case op_kind::receive_message:
        case op_kind::send_message:
            return fill_message(entry, op);
        case op_kind::poll:
            return fill_poll_entry(entry, op);
        case op_kind::file_read:
        case op_kind::file_write:
            return fill_file(entry, op);
        case op_kind::file_call:
        case op_kind::work:
            fatal("an operation for the pool reached the ring");
    }
}

bool stays_armed(const sqe& entry) noexcept {
    if (entry.opcode == uring_abi::op::accept) return entry.ioprio & accept_flag::multishot;
    return entry.opcode == uring_abi::op::recv && entry.ioprio & recvsend_flag::recv_multishot;
}

void fill_poll_entry(sqe& entry, const io_operation& op) noexcept {
    std::uint32_t bits = static_cast<std::uint32_t>(op.size);
    if (op.kind != op_kind::poll) bits = waits_to_write(op) ? ready_to_write : ready_to_read;
    std::uint32_t events = 0;
    if (bits & ready_to_read) events |= POLLIN | POLLPRI | POLLRDHUP;
    if (bits & ready_to_write) events |= POLLOUT;
    entry.opcode = uring_abi::op::poll_add;
    entry.fd = static_cast<std::int32_t>(op.target->native);
    entry.poll32_events = events;
}

namespace {

bool needs_send_block(const io_operation& op) noexcept {
    return op.kind == op_kind::write && (op.flags & op_vectored) && is_socket(op);
}

void make_block(io_operation& op) {
    if (op.kind == op_kind::connect) {
        op.driver_block = new connect_block(*static_cast<const address*>(op.data));
    } else if (needs_send_block(op)) {
        auto* made = new send_block;
        made->header.msg_iov = static_cast<iovec*>(op.data);
        made->header.msg_iovlen = std::min<std::size_t>(op.size, IOV_MAX);
        op.driver_block = made;
    }
}

}  // namespace

std::int64_t prepare_entry(io_operation& op) noexcept {
    op.driver_block = nullptr;
    try {
        make_block(op);
    } catch (const std::bad_alloc&) {
        return -ENOMEM;
    }
    if (op.kind == op_kind::send_message && !prepare_send(*static_cast<message*>(op.data)))
        return -EINVAL;
    return 0;
}

void release_entry(io_operation& op) noexcept {
    if (!op.driver_block) return;
    if (op.kind == op_kind::connect)
        delete static_cast<connect_block*>(op.driver_block);
    else
        delete static_cast<send_block*>(op.driver_block);
    op.driver_block = nullptr;
}

std::int64_t readiness_of(const io_operation& op, std::uint32_t events) noexcept {
    std::int64_t ready = 0;
    if (events & (POLLERR | POLLHUP)) ready = ready_to_read | ready_to_write;
    if (events & (POLLIN | POLLPRI | POLLRDHUP)) ready |= ready_to_read;
    if (events & POLLOUT) ready |= ready_to_write;
    return ready & static_cast<std::int64_t>(op.size);
}

}  // namespace upcall
