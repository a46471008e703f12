#include <upcall/io/tcp.hpp>

#include <cerrno>

namespace upcall {

namespace detail {
namespace {

result<tcp::stream> make_stream(loop& home, handle socket) {
    // Fails on sockets that are not TCP, which have nothing to delay.
    static_cast<void>(home.via().set_option(*socket.record(), socket_option::no_delay, 1));
    return tcp::stream(home, std::move(socket));
}

}  // namespace

bool accept_operation::launch(context& where) noexcept {
    outcome = raw_error(errc::closed);
    return !core || core->launch(*this, where);
}

upcall::result<tcp::stream> accept_operation::take() {
    if (outcome < 0) return failure(error_from_raw(outcome));
    descriptor accepted(static_cast<native_handle>(outcome));
    loop& home = *loop::current();
    auto socket = home.via().adopt_accepted(accepted.get());
    if (!socket) return failure(socket.error());
    accepted.release();
    return make_stream(home, std::move(*socket));
}

bool connect_operation::launch(context& where) noexcept {
    home_ = &where.home();
    const cancel_cause refused = where.refuses(ends_on_stop);
    if (refused != cancel_cause::none) {
        result = raw_error(errc_of(refused));
        return true;
    }
    auto socket = home_->via().open_socket(peer_.family(), socket_type::stream);
    if (!socket) {
        result = raw_error(socket.error());
        return true;
    }
    socket_ = std::move(*socket);
    kind = op_kind::connect;
    target = socket_.record();
    data = &peer_;
    begin(where);
    if (!home_->via().start(*this)) return false;
    retire();
    return true;
}

upcall::result<tcp::stream> connect_operation::take() {
    if (result < 0) {
        socket_.close();
        return failure(error_of(*this));
    }
    return make_stream(*home_, std::move(socket_));
}

}  // namespace detail

namespace tcp {

result<address> stream::local_address() const {
    if (!core()) return failure(errc::closed);
    return core()->home().via().local_address(*core()->file().record());
}

result<address> stream::peer_address() const {
    if (!core()) return failure(errc::closed);
    return core()->home().via().peer_address(*core()->file().record());
}

result<stream> stream::adopt(native_handle connected) {
    loop* home = loop::current();
    if (!home) return failure(errc::no_loop);
    auto socket = home->via().adopt(connected, handle_kind::stream);
    if (!socket) return failure(socket.error());
    return stream(*home, std::move(*socket));
}

result<listener> listener::bind(std::string_view where, const listen_options& options) {
    auto parsed = address::parse(where);
    if (!parsed) return failure(parsed.error());
    return bind(*parsed, options);
}

result<listener> listener::bind(const address& where, const listen_options& options) {
    loop* home = loop::current();
    if (!home) return failure(errc::no_loop);
    driver& via = home->via();
    auto socket = via.open_socket(where.family(), socket_type::stream);
    if (!socket) return failure(socket.error());
    handle_record& record = *socket->record();
    if (where.family() != address_family::unix_path) {
        if (auto done = via.set_option(record, socket_option::reuse_address, 1); !done)
            return failure(done.error());
        if (options.reuse_port)
            if (auto done = via.set_option(record, socket_option::reuse_port, 1); !done)
                return failure(done.error());
    }
    if (where.family() == address_family::ipv6)
        if (auto done = via.set_option(record, socket_option::only_ipv6, options.only_ipv6); !done)
            return failure(done.error());
    if (auto done = via.bind(record, where); !done) return failure(done.error());
    if (auto done = via.listen(record, options.backlog); !done) return failure(done.error());
    return listener(*home, std::move(*socket));
}

result<listener> listener::adopt(native_handle listening) {
    loop* home = loop::current();
    if (!home) return failure(errc::no_loop);
    auto socket = home->via().adopt(listening, handle_kind::listener);
    if (!socket) return failure(socket.error());
    return listener(*home, std::move(*socket));
}

result<native_handle> listener::release() {
    if (!core_) return failure(errc::closed);
    auto native = core_->home().via().release(core_->file());
    if (native) close_now();
    return native;
}

result<address> listener::local_address() const {
    if (!core_) return failure(errc::closed);
    return core_->home().via().local_address(*core_->file().record());
}

}  // namespace tcp
}  // namespace upcall
