// What sockets that keep message boundaries have in common: UDP, Unix datagram, Unix seqpacket.
//
// A message goes out whole or not at all, and one receive takes one message. At most 64 operations
// may wait per direction (queue_full); they take effect in the order in which they were started.
//
// A socket belongs to the loop it was made on and is used there alone. Destroying it ends what is
// in flight with `closed` and closes; buffers must still live until those operations completed.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include <upcall/base/buffer.hpp>
#include <upcall/io/detail/close_operation.hpp>
#include <upcall/io/detail/message_core.hpp>
#include <upcall/io/detail/owners.hpp>
#include <upcall/os/descriptor.hpp>
#include <upcall/task/request.hpp>

namespace upcall {

/// A received message. Its first bytes, as many as fitted, are in the buffer of the receive.
struct datagram {
    /// Bytes that the sender had sent; 0 is a message, too. More than the buffer holds when
    /// `truncated`: the rest is lost, and the next message is whole again.
    std::size_t size = 0;
    /// Who sent it; family none on seqpacket sockets, and when the sender has no name.
    address peer{};
    /// Whether the buffer was too short for it.
    bool truncated = false;
    /// Descriptors that came along found no room and were closed.
    bool descriptors_lost = false;
};

namespace detail {

class receive_message_operation : public message_waiter {
  public:
    struct arguments {
        message_core* core;
        byte_span buffer;
        bool idle;
    };
    explicit receive_message_operation(arguments&& given) noexcept;
    upcall::result<datagram> take() const noexcept;
};

class send_message_operation : public message_waiter {
  public:
    struct arguments {
        message_core* core;
        byte_view buffer;
        address peer;
    };
    explicit send_message_operation(arguments&& given) noexcept;
    upcall::result<void> take() const noexcept;
};

class connect_message_operation : public io_operation_base {
  public:
    struct arguments {
        message_core* core;
        address peer;
    };
    explicit connect_message_operation(arguments&& given) noexcept
        : core_(given.core), peer_(given.peer) {}
    bool launch(context& where) noexcept;
    upcall::result<void> take() const noexcept;

  private:
    message_core* core_;
    address peer_;
};

}  // namespace detail

/// Move-only. Requests refer to the socket and to what they are given; both stay until the
/// completion.
class message_socket : public detail::core_owner<detail::message_core> {
  public:
    message_socket() = default;

    /// The next message, result<datagram>. An idle wait: `stop` ends it with `cancelled`. Errors:
    /// those of recv(2), cancellation (then no message was taken).
    request<detail::receive_message_operation> receive(byte_span buffer) {
        return request<detail::receive_message_operation>({core_, buffer, true});
    }
    /// As `receive`, but goes on when asked to stop: an answer to something in hand.
    request<detail::receive_message_operation> receive_more(byte_span buffer) {
        return request<detail::receive_message_operation>({core_, buffer, false});
    }

    /// Sends a message to the connected peer, waiting for room if there is none. Errors:
    /// message_size when the network does not take so much at once; those of send(2); cancellation
    /// (then nothing was sent). Yields result<void>.
    request<detail::send_message_operation> send(outgoing message) {
        return request<detail::send_message_operation>({core_, message, {}});
    }

    /// Closes and waits until the kernel has let go. What is in flight ends with `closed`, before
    /// this does. Cannot be cancelled. The socket is empty from the start of it on. Yields
    /// result<void>.
    request<detail::close_operation<message_socket>> close() {
        return request<detail::close_operation<message_socket>>({this});
    }

    /// Where it is bound: getsockname(2). Error: closed.
    result<address> local_address() const;
    /// Whom it is connected to: getpeername(2). Errors: closed; not_connected.
    result<address> peer_address() const;

    /// Sets or reads an option; see socket_option.
    result<void> set_option(socket_option which, std::int64_t value);
    result<std::int64_t> option(socket_option which) const;

    /// The native socket, which the caller now owns; this is empty afterwards. Error:
    /// device_or_resource_busy while operations are in flight.
    result<native_handle> release();

    /// The loop it belongs to. Fatal on an empty socket.
    loop& home() const noexcept {
        if (!core_) [[unlikely]]
            fatal("message_socket::home was asked of an empty socket: a closed one has no loop");
        return core_->home();
    }

  protected:
    /// Takes a handle of kind `datagram`, opened on `home`'s driver. Throws std::bad_alloc, and
    /// then leaves it.
    message_socket(loop& home, handle&& socket, bool connected = false)
        : core_owner(new detail::message_core(home, std::move(socket), connected)) {}
    detail::message_core* core() const noexcept { return core_; }
    handle_record& record() const noexcept { return core_->record(); }
    driver& via() const noexcept { return core_->home().via(); }

  private:
    friend class detail::close_operation<message_socket>;
};

}  // namespace upcall
