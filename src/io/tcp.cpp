#include <upcall/io/tcp.hpp>

#include <cerrno>

namespace upcall {

namespace detail {

upcall::result<tcp::stream> tcp_accept_operation::take() {
    auto socket = take_handle();
    if (!socket) return failure(socket.error());
    loop& home = *loop::current();
    // Fails on sockets that are not TCP, which have nothing to delay.
    static_cast<void>(home.via().set_option(*socket->record(), socket_option::no_delay, 1));
    return make_owner<tcp::stream>(home, *socket);
}

upcall::result<tcp::stream> tcp_connect_operation::take() {
    auto socket = take_handle();
    if (!socket) return failure(socket.error());
    if (no_delay_)
        static_cast<void>(home().via().set_option(*socket->record(), socket_option::no_delay, 1));
    return make_owner<tcp::stream>(home(), *socket);
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

result<void> stream::set_keep_alive(bool on, const keep_alive_times& times) {
    auto set = [this](socket_option which, std::int64_t value) {
        return value > 0 ? set_option(which, value) : result<void>();
    };
    auto done = set(socket_option::keep_alive_idle_seconds, times.idle.count());
    if (done) done = set(socket_option::keep_alive_interval_seconds, times.interval.count());
    if (done) done = set(socket_option::keep_alive_probes, times.probes);
    if (done) done = set_option(socket_option::keep_alive, on ? 1 : 0);
    return done;
}

void stream::reset() {
    if (!core()) return;
    static_cast<void>(set_option(socket_option::linger_seconds, 0));
    *this = stream();
}

result<stream> stream::adopt(native_handle connected) {
    return detail::adopt_owner<stream>(connected, handle_kind::stream);
}

result<stream> stream::attach(detached_stream& from) { return attach_as<stream>(from); }

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
    return detail::make_owner<listener>(*home, *socket);
}

result<listener> listener::adopt(native_handle listening) {
    return detail::adopt_owner<listener>(listening, handle_kind::listener);
}

result<native_handle> listener::release() {
    if (!core_) return failure(errc::closed);
    if (!core_->idle()) return failure(std::make_error_code(std::errc::device_or_resource_busy));
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
