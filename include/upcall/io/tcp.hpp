// TCP: listeners, streams, connecting. See io/stream.hpp for what streams do.
//
//     auto listener = tcp::listener::bind("127.0.0.1:7000").value();
//     while (auto peer = co_await listener.accept())
//         co_await connections.spawn(echo(std::move(*peer)), "echo");
#pragma once

#include <string_view>

#include <upcall/driver/address.hpp>
#include <upcall/io/detail/accept_core.hpp>
#include <upcall/io/stream.hpp>

namespace upcall::tcp {

class stream : public byte_stream {
  public:
    stream() = default;
    using byte_stream::byte_stream;

    result<address> local_address() const;
    result<address> peer_address() const;

    /// Sends small writes at once instead of gathering them (Nagle's algorithm). On by default on
    /// accepted and connected streams.
    result<void> set_no_delay(bool on) { return set_option(socket_option::no_delay, on ? 1 : 0); }

    /// Takes a connected socket of this process and makes a stream of it on the current loop; on
    /// error the caller still owns it. Errors: no_loop; those of the driver.
    static result<stream> adopt(native_handle connected);
};

}  // namespace upcall::tcp

namespace upcall::detail {

class accept_operation : public accept_waiter {
  public:
    struct arguments {
        accept_core* core;
    };
    explicit accept_operation(arguments&& given) noexcept {
        core = given.core;
        ends_on_stop = true;
    }
    bool launch(context& where) noexcept;
    upcall::result<tcp::stream> take();
};

class connect_operation : public io_operation_base {
  public:
    struct arguments {
        address peer;
    };
    explicit connect_operation(arguments&& given) noexcept : peer_(given.peer) {}
    bool launch(context& where) noexcept;
    upcall::result<tcp::stream> take();

  private:
    address peer_;
    handle socket_;
    loop* home_ = nullptr;
};

}  // namespace upcall::detail

namespace upcall::tcp {

struct listen_options {
    /// Connections that may wait in the kernel; it caps them at net.core.somaxconn.
    int backlog = 1024;
    /// Other sockets of this user may listen on the same address, and share its connections.
    bool reuse_port = false;
    /// IPv6 wildcard listeners take IPv6 alone, so that an IPv4 one can stand beside them.
    bool only_ipv6 = true;
};

class listener {
  public:
    listener() = default;
    listener(listener&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
    listener& operator=(listener&& other) noexcept {
        if (this != &other) {
            close_now();
            core_ = std::exchange(other.core_, nullptr);
        }
        return *this;
    }
    /// Stops listening. Waiting accepts end with `closed`; peers that nobody accepted are reset.
    ~listener() { close_now(); }

    explicit operator bool() const noexcept { return core_ != nullptr; }

    /// Listens on the current loop. `where` as in address::parse; port 0 picks a free one. The
    /// address may be taken over from connections of a former process that linger in TIME_WAIT.
    /// Errors: no_loop; invalid_argument for what is not an address; those of bind(2), listen(2).
    static result<listener> bind(std::string_view where, const listen_options& options = {});
    static result<listener> bind(const address& where, const listen_options& options = {});

    /// Takes a listening socket of this process; on error the caller still owns it.
    static result<listener> adopt(native_handle listening);

    /// The listening socket, which the caller now owns; the listener is empty afterwards. Error:
    /// device_or_resource_busy while it accepts.
    result<native_handle> release();

    /// The next connection. Peers that gave up while they waited are passed over, and a shortage of
    /// descriptors or memory is waited out. An idle wait: `stop` ends it with `cancelled`.
    request<detail::accept_operation> accept() {
        return request<detail::accept_operation>({core_});
    }

    result<address> local_address() const;

  private:
    listener(loop& home, handle file) : core_(new detail::accept_core(home, std::move(file))) {}
    void close_now() noexcept {
        if (core_) std::exchange(core_, nullptr)->abandon();
    }

    detail::accept_core* core_ = nullptr;
};

/// Connects to one address. A socket that connects to itself (a loopback port in the ephemeral
/// range where nobody listens) counts as refused. When it is cancelled the half-open socket is
/// closed. Errors: those of connect(2), cancellation.
inline request<detail::connect_operation> connect(const address& peer) {
    return request<detail::connect_operation>({peer});
}

}  // namespace upcall::tcp
