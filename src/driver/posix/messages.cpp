#include "driver/posix/messages.hpp"

#include <sys/uio.h>
#include <unistd.h>

#include <cstring>
#include <new>

#include "driver/posix/sockaddr.hpp"

namespace upcall {
namespace {

struct native_message {
    msghdr header;
    sockaddr_storage peer;
};
static_assert(sizeof(native_message) <= sizeof(message::native));
static_assert(sizeof(io_slice) == sizeof(iovec) &&
              offsetof(io_slice, data) == offsetof(iovec, iov_base) &&
              offsetof(io_slice, size) == offsetof(iovec, iov_len));

native_message& native_of(message& owner) noexcept {
    auto& native = *new (owner.native) native_message;
    native.header = {};
    native.header.msg_iov = reinterpret_cast<iovec*>(owner.slices);
    native.header.msg_iovlen = owner.slice_count;
    return native;
}

bool add_handles(msghdr& header, const message& sent) noexcept {
    const std::size_t bytes = sent.handle_count * sizeof(int);
    if (!sent.control || sent.control_size < CMSG_SPACE(bytes)) return false;
    std::memset(sent.control, 0, CMSG_SPACE(bytes));
    header.msg_control = sent.control;
    header.msg_controllen = CMSG_SPACE(bytes);
    cmsghdr* part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(bytes);
    for (std::size_t at = 0; at < sent.handle_count; ++at) {
        const int fd = static_cast<int>(sent.handles[at]);
        std::memcpy(CMSG_DATA(part) + at * sizeof fd, &fd, sizeof fd);
    }
    return true;
}

void take_handles(message& received, const cmsghdr& part) noexcept {
    const std::size_t count = (part.cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t at = 0; at < count; ++at) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(&part) + at * sizeof fd, sizeof fd);
        if (received.handle_count < received.handle_max) {
            received.handles[received.handle_count++] = fd;
        } else {
            ::close(fd);
            received.handles_truncated = true;
        }
    }
}

}  // namespace

msghdr* prepare_send(message& sent) noexcept {
    auto& native = native_of(sent);
    native.header.msg_namelen = to_kernel(sent.peer, native.peer);
    if (native.header.msg_namelen > 0) native.header.msg_name = &native.peer;
    if (sent.handle_count > 0 && !add_handles(native.header, sent)) return nullptr;
    return &native.header;
}

msghdr* prepare_receive(message& received) noexcept {
    auto& native = native_of(received);
    native.header.msg_name = &native.peer;
    native.header.msg_namelen = sizeof native.peer;
    native.header.msg_control = received.control;
    native.header.msg_controllen = received.control ? received.control_size : 0;
    return &native.header;
}

void finish_receive(message& received) noexcept {
    auto& native = *std::launder(reinterpret_cast<native_message*>(received.native));
    msghdr& header = native.header;
    received.peer = from_kernel(native.peer, header.msg_namelen);
    received.data_truncated = header.msg_flags & MSG_TRUNC;
    received.handles_truncated = header.msg_flags & MSG_CTRUNC;
    received.handle_count = 0;
    for (cmsghdr* part = CMSG_FIRSTHDR(&header); part; part = CMSG_NXTHDR(&header, part))
        if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS)
            take_handles(received, *part);
}

int receive_message_flags(const handle_record& target) noexcept {
    return MSG_CMSG_CLOEXEC | (target.kind == handle_kind::datagram ? MSG_TRUNC : 0);
}

}  // namespace upcall
