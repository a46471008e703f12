// A `message` as sendmsg(2) and recvmsg(2) want it, descriptors included.
#pragma once

#include <sys/socket.h>

#include <upcall/driver/io_operation.hpp>

namespace upcall {

/// Fills the kernel's structures inside `sent`; they are valid as long as the message stays.
/// Null when the descriptors do not fit into `control` (see message_control_room).
msghdr* prepare_send(message& sent) noexcept;

/// The same for a message to be received.
msghdr* prepare_receive(message& received) noexcept;

/// Takes the sender, the descriptors and what was truncated out of the kernel's structures, after
/// recvmsg has succeeded. Descriptors that do not fit into `handles` are closed.
void finish_receive(message& received) noexcept;

/// Flags for recvmsg on `target`: descriptors arrive close-on-exec, and a datagram that was cut
/// tells its real size. On a stream MSG_TRUNC would throw data away (tcp(7)).
int receive_message_flags(const handle_record& target) noexcept;

}  // namespace upcall
