// TCP: listeners, streams, connecting. See io/stream.hpp for what streams do.
//
//     auto listener = tcp::listener::bind("127.0.0.1:7000").value();
//     while (auto peer = co_await listener.accept())
//         connections.spawn_now(echo(std::move(*peer)), "echo");
#pragma once

#include <chrono>
#include <string_view>

#include <upcall/driver/address.hpp>
#include <upcall/io/detail/accept_core.hpp>
#include <upcall/io/detail/close_operation.hpp>
#include <upcall/io/detail/connect_operation.hpp>
#include <upcall/io/stream.hpp>

namespace upcall::tcp {

/// When the kernel asks a silent peer whether it is still there; zero: as the system has it.
struct keep_alive_times {
    std::chrono::seconds idle{};      // silence before the first question
    std::chrono::seconds interval{};  // between questions
    int probes = 0;                   // unanswered ones that end the connection
};

/// A TCP connection. See io/stream.hpp.
class stream : public byte_stream {
  public:
    stream() = default;
    /// As that of byte_stream.
    stream(loop& home, handle&& socket) : byte_stream(home, std::move(socket)) {}

    /// This end and the other one: getsockname(2), getpeername(2). Errors: closed; not_connected.
    result<address> local_address() const;
    result<address> peer_address() const;

    /// Sends small writes at once instead of gathering them (Nagle's algorithm). On by default on
    /// accepted and connected streams.
    result<void> set_no_delay(bool on) { return set_option(socket_option::no_delay, on ? 1 : 0); }

    /// Lets the kernel ask a silent peer whether it is still there, and end the connection with
    /// timed_out when it is not. `times` that are zero are the system's (tcp(7)).
    result<void> set_keep_alive(bool on, const keep_alive_times& times = {});

    /// Closes at once and tells the peer that something went wrong: what was not sent yet is lost,
    /// and the peer's operations end with connection_reset. The stream is empty afterwards.
    void reset();

    /// Takes a connected socket of this process and makes a stream of it on the current loop; on
    /// error the caller still owns it. Errors: no_loop; those of the driver.
    static result<stream> adopt(native_handle connected);

    /// What another loop's stream was detached from, on the current loop: see byte_stream::attach.
    static result<stream> attach(detached_stream& from);
};

}  // namespace upcall::tcp

namespace upcall::detail {

class tcp_accept_operation : public accept_operation {
  public:
    using accept_operation::accept_operation;
    upcall::result<tcp::stream> take();
};

class tcp_connect_operation : public connect_operation {
  public:
    struct arguments {
        upcall::result<address> peer;
        address local;
        bool no_delay;
    };
    explicit tcp_connect_operation(arguments&& given) noexcept
        : connect_operation({given.peer, given.local, socket_type::stream}),
          no_delay_(given.no_delay) {}
    upcall::result<tcp::stream> take();

  private:
    bool no_delay_;
};

}  // namespace upcall::detail

namespace upcall::tcp {

/// How `listener::bind` listens.
struct listen_options {
    /// Connections that may wait in the kernel; it caps them at net.core.somaxconn.
    int backlog = 1024;
    /// Other sockets of this user may listen on the same address, and share its connections.
    bool reuse_port = false;
    /// IPv6 wildcard listeners take IPv6 alone, so that an IPv4 one can stand beside them.
    bool only_ipv6 = true;
};

/// Destroying it stops listening: waiting accepts end with `closed`, and peers that nobody accepted
/// are reset.
class listener : public detail::core_owner<detail::accept_core> {
  public:
    listener() = default;
    /// Takes a handle of kind `listener`, opened on `home`'s driver. Throws std::bad_alloc, and
    /// then leaves it.
    listener(loop& home, handle&& file)
        : core_owner(new detail::accept_core(home, std::move(file))) {}
    /// Listens on the current loop. `where` as in address::parse; port 0 picks a free one. The
    /// address may be taken over from connections of a former process that linger in TIME_WAIT.
    /// Errors: no_loop; invalid_argument for what is not an address; those of bind(2), listen(2).
    /// They do not name the address; value_or_throw does.
    static result<listener> bind(std::string_view where, const listen_options& options = {});
    static result<listener> bind(const address& where, const listen_options& options = {});

    /// Takes a listening socket of this process, on the current loop; on error the caller still
    /// owns it. Errors: no_loop; those of the driver.
    static result<listener> adopt(native_handle listening);

    /// The listening socket, which the caller now owns; the listener is empty afterwards. Error:
    /// device_or_resource_busy while it accepts, or stays armed in the kernel after an accept was
    /// answered, or holds connections that nobody asked for.
    result<native_handle> release();

    /// The next connection. Peers that gave up while they waited are passed over, and a shortage of
    /// descriptors or memory is waited out. An idle wait: `stop` ends it with `cancelled`. Yields
    /// result<tcp::stream>.
    request<detail::tcp_accept_operation> accept() {
        return request<detail::tcp_accept_operation>({core_});
    }

    /// As `accept`, but goes on when asked to stop: for those who are in the queue already, before
    /// it is closed.
    request<detail::tcp_accept_operation> accept_more() {
        return request<detail::tcp_accept_operation>({core_, false});
    }

    /// Whether connections may be accepted before anybody asks for them, which is on at first and
    /// cheaper. Each holds a descriptor: turn it off where those run short, and who is not asked
    /// for waits in the kernel's queue.
    void accept_ahead(bool on) noexcept {
        if (core_) core_->allow_ahead(on);
    }

    /// Where it listens, with the port that was picked: getsockname(2). Error: closed.
    result<address> local_address() const;

    /// Closes and waits until the kernel has let go. What waits ends with `closed`, before this
    /// does. Cannot be cancelled. Yields result<void>.
    request<detail::close_operation<listener>> close() {
        return request<detail::close_operation<listener>>({this});
    }

  private:
    friend class detail::close_operation<listener>;
};

/// How `connect` connects.
struct connect_options {
    /// What to connect from; family none leaves it to the system, and so does port 0.
    address local{};
    /// As stream::set_no_delay.
    bool no_delay = true;
};

/// Connects to one address. A socket that connects to itself (a loopback port in the ephemeral
/// range where nobody listens) counts as refused. When it is cancelled the half-open socket is
/// closed. Yields result<tcp::stream>. Errors: those of connect(2), cancellation.
inline request<detail::tcp_connect_operation> connect(const address& peer,
                                                      const connect_options& options = {}) {
    return request<detail::tcp_connect_operation>({peer, options.local, options.no_delay});
}
/// The same to an address as address::parse reads it. Error: invalid_argument for anything else.
inline request<detail::tcp_connect_operation> connect(std::string_view peer,
                                                      const connect_options& options = {}) {
    return request<detail::tcp_connect_operation>(
        {address::parse(peer), options.local, options.no_delay});
}

}  // namespace upcall::tcp
