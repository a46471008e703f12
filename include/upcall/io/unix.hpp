// Unix sockets: streams, datagrams and sequenced packets between processes of one host, and
// descriptors that travel along.
//
//     auto listener = unix_socket::listener::bind("/run/example.sock",
//                                                 {.replace_stale = true}).value();
//     auto peer = (co_await unix_socket::connect("/run/example.sock")).value();
//
// A path is at most 107 bytes long (filename_too_long). One that starts with '@' is a name of the
// abstract space, which no file stands for and which is gone with its socket (unix(7)). An empty
// path and '@' alone name nothing: invalid_argument.
#pragma once

#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <upcall/driver/address.hpp>
#include <upcall/io/detail/accept_core.hpp>
#include <upcall/io/detail/close_operation.hpp>
#include <upcall/io/detail/connect_operation.hpp>
#include <upcall/io/detail/passing.hpp>
#include <upcall/io/message_socket.hpp>
#include <upcall/io/stream.hpp>

namespace upcall::unix_socket {

/// Most descriptors that Linux passes with one message.
inline constexpr std::size_t passed_max = detail::passed_max;

/// A stream between two processes. See io/stream.hpp.
class stream : public byte_stream {
  public:
    stream() = default;
    /// As that of byte_stream.
    stream(loop& home, handle&& socket) : byte_stream(home, std::move(socket)) {}

    /// This end's name and the other one's, empty where it has none: getsockname(2),
    /// getpeername(2). Errors: closed; not_connected.
    result<address> local_address() const;
    result<address> peer_address() const;
    /// The process at the other end, as it was when it connected or listened. SO_PEERCRED of
    /// unix(7). Errors: closed; unsupported where the system does not tell.
    result<peer_identity> identify_peer() const;

    /// As `write_all`, with copies of `passed` for the peer, who gets them with the first byte;
    /// there has to be one. `passed` stay open here, and may be closed after the completion.
    /// Errors: invalid_argument for more than passed_max and for no bytes; those of sendmsg(2).
    request<detail::write_with_operation> write_with(outgoing buffer,
                                                     std::span<const native_handle> passed) {
        return request<detail::write_with_operation>({core(), buffer, passed});
    }

    /// As `read`, with what descriptors come along put at the end of `arrived`, at most `max`;
    /// further ones are closed. Yields result<read_with_descriptors>: how many bytes came, and
    /// whether descriptors were closed for want of room. More than passed_max never come, whatever
    /// `max` is. Every other way to read drops the descriptors that come with its bytes, and no
    /// descriptors_lost tells of those. A `receive` stays armed and reads ahead; from the first use
    /// of this on, the stream reads no further than it is asked to.
    request<detail::read_with_operation> read_with(byte_span buffer,
                                                   std::vector<descriptor>& arrived,
                                                   std::size_t max = 16) {
        return request<detail::read_with_operation>({core(), buffer, &arrived, max});
    }

    /// Takes a connected socket of this process, on the current loop; on error the caller still
    /// owns it. Errors: no_loop; those of the driver.
    static result<stream> adopt(native_handle connected);
    /// What another loop's stream was detached from: see byte_stream::attach.
    static result<stream> attach(detached_stream& from);
};

/// A connection that keeps message boundaries, and their order: SOCK_SEQPACKET. A message has at
/// least one byte, as no byte is how the end is told: an empty one is invalid_argument, and
/// receives end with end_of_stream. See io/message_socket.hpp.
class sequential : public message_socket {
  public:
    sequential() = default;
    /// Takes a handle of kind `datagram`, opened on `home`'s driver. Throws std::bad_alloc, and
    /// then leaves it.
    sequential(loop& home, handle&& socket) : message_socket(home, std::move(socket), true) {}

    /// As stream::identify_peer.
    result<peer_identity> identify_peer() const;

    /// As `send`, and as `receive`, with descriptors: see stream.
    request<detail::send_with_operation> send_with(outgoing message,
                                                   std::span<const native_handle> passed) {
        return request<detail::send_with_operation>({core(), message, {}, passed});
    }
    request<detail::receive_with_operation> receive_with(byte_span buffer,
                                                         std::vector<descriptor>& arrived,
                                                         std::size_t max = 16) {
        return request<detail::receive_with_operation>({core(), buffer, &arrived, max});
    }

    /// Ends a direction, at once: messages that wait to be sent fail with broken_pipe.
    result<void> shut_down(shut direction);

    /// As stream::adopt.
    static result<sequential> adopt(native_handle connected);
};

/// What becomes of the file that a name stands for.
struct bind_options {
    /// A file in the way that belongs to a socket nobody listens on, which is found out by
    /// connecting to it, is removed first. Two processes that do so at once may both succeed; the
    /// later one has the name.
    bool replace_stale = false;
    /// The file is removed when the socket is closed, unless another has taken its place.
    bool remove_on_close = false;
};

/// Datagrams between processes. Reliable and in order; sending waits while the receiver's queue is
/// full. See io/message_socket.hpp.
class datagram : public message_socket {
  public:
    datagram() = default;
    /// As that of sequential.
    datagram(loop& home, handle&& socket) : message_socket(home, std::move(socket)) {}

    /// A socket on the current loop with a name, which others send to. Errors: no_loop;
    /// filename_too_long; those of bind(2).
    static result<datagram> bind(std::string_view path, const bind_options& options = {});
    /// One without a name: it can send, and gets no answers. Errors: no_loop; those of socket(2).
    static result<datagram> open();
    /// Two that are connected to each other. Errors: no_loop; those of socketpair(2).
    static result<std::pair<datagram, datagram>> pair();
    /// As stream::adopt.
    static result<datagram> adopt(native_handle native);

    /// Sends to `path` alone from now on, and receives only from there. Errors: those of
    /// connect(2).
    request<detail::connect_message_operation> connect(const address& peer) {
        return request<detail::connect_message_operation>({core(), peer});
    }

    /// As `send`, to `peer`. Error: connection_refused when nobody has bound it any more.
    request<detail::send_message_operation> send_to(outgoing message, const address& peer) {
        return request<detail::send_message_operation>({core(), message, peer});
    }

    /// As `send` or `send_to`, and as `receive`, with descriptors: see stream.
    request<detail::send_with_operation> send_with(outgoing message,
                                                   std::span<const native_handle> passed,
                                                   const address& peer = {}) {
        return request<detail::send_with_operation>({core(), message, peer, passed});
    }
    request<detail::receive_with_operation> receive_with(byte_span buffer,
                                                         std::vector<descriptor>& arrived,
                                                         std::size_t max = 16) {
        return request<detail::receive_with_operation>({core(), buffer, &arrived, max});
    }
};

}  // namespace upcall::unix_socket

namespace upcall::detail {

template <class Connection>
class unix_accept_operation : public accept_operation {
  public:
    using accept_operation::accept_operation;
    upcall::result<Connection> take() {
        auto socket = take_handle();
        if (!socket) return failure(socket.error());
        if constexpr (std::is_base_of_v<message_socket, Connection>)
            socket->record()->kind = handle_kind::datagram;
        return make_owner<Connection>(*loop::current(), *socket);
    }
};

template <class Connection>
class unix_connect_operation : public connect_operation {
  public:
    using connect_operation::connect_operation;
    upcall::result<Connection> take() {
        auto socket = take_handle();
        if (!socket) return failure(socket.error());
        return make_owner<Connection>(home(), *socket);
    }
};

}  // namespace upcall::detail

namespace upcall::unix_socket {

/// How `basic_listener::bind` listens.
struct listen_options {
    /// Connections that may wait in the kernel; it caps them at net.core.somaxconn.
    int backlog = 1024;
    /// As in bind_options.
    bool replace_stale = false;
    bool remove_on_close = false;
};

/// Listens on a path, for streams or for sequenced packets. Destroying it stops that: waiting
/// accepts end with `closed`, and peers that nobody accepted are cut off.
template <class Connection>
class basic_listener : public detail::core_owner<detail::accept_core> {
  public:
    basic_listener() = default;
    /// Takes a handle of kind `listener`, opened on `home`'s driver. Throws std::bad_alloc, and
    /// then leaves it.
    basic_listener(loop& home, handle&& file)
        : core_owner(new detail::accept_core(home, std::move(file))) {}
    /// Listens on the current loop. Errors: no_loop; filename_too_long; address_in_use; those of
    /// bind(2), listen(2).
    static result<basic_listener> bind(std::string_view path, const listen_options& options = {});

    /// Takes a listening socket of this process, on the current loop; on error the caller still
    /// owns it. Errors: no_loop; those of the driver.
    static result<basic_listener> adopt(native_handle listening);

    /// The next connection; as tcp::listener::accept.
    request<detail::unix_accept_operation<Connection>> accept() {
        return request<detail::unix_accept_operation<Connection>>({core_});
    }

    /// The path that it listens on: getsockname(2). Error: closed.
    result<address> local_address() const;

    /// Closes and waits until the kernel has let go, as tcp::listener::close.
    request<detail::close_operation<basic_listener>> close() {
        return request<detail::close_operation<basic_listener>>({this});
    }

  private:
    friend class detail::close_operation<basic_listener>;
};

using listener = basic_listener<stream>;
using sequential_listener = basic_listener<sequential>;

/// Connects to a path. Errors: filename_too_long; those of connect(2): connection_refused when
/// nobody listens, no_such_file_or_directory; cancellation.
inline request<detail::unix_connect_operation<stream>> connect(std::string_view path) {
    return request<detail::unix_connect_operation<stream>>(
        {address::unix_path(path), {}, socket_type::stream});
}
inline request<detail::unix_connect_operation<sequential>> connect_sequential(
    std::string_view path) {
    return request<detail::unix_connect_operation<sequential>>(
        {address::unix_path(path), {}, socket_type::sequential});
}

/// Two connected ends, on the current loop. Errors: no_loop; those of socketpair(2).
result<std::pair<stream, stream>> pair();
result<std::pair<sequential, sequential>> sequential_pair();

}  // namespace upcall::unix_socket
