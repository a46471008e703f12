#include <upcall/io/unix.hpp>

#include <string>

#include <upcall/os/socket_file.hpp>

namespace upcall::unix_socket {
namespace {

bool has_file(const address& where) noexcept {
    return !where.path().empty() && !where.path().starts_with('@');
}

struct bound_socket {
    handle socket;
    socket_file file;
};

/// Opens a socket and binds it, out of the way of a stale file if asked.
result<bound_socket> open_bound(loop& home, std::string_view path, socket_type type,
                                const bind_options& options) {
    auto where = address::unix_path(path);
    if (!where) return failure(where.error());
    std::string file(path);  // memory that runs out later would leave the file behind
    driver& via = home.via();
    auto socket = via.open_socket(address_family::unix_path, type);
    if (!socket) return failure(socket.error());
    auto bound = via.bind(*socket->record(), *where);
    if (!bound && bound.error() == std::errc::address_in_use && options.replace_stale &&
        has_file(*where)) {
        auto removed = remove_stale_socket(file);
        if (!removed) return failure(removed.error());
        bound = via.bind(*socket->record(), *where);
    }
    if (!bound) return failure(bound.error());
    bound_socket made{std::move(*socket), {}};
    if (options.remove_on_close && has_file(*where)) made.file = socket_file(std::move(file));
    return made;
}

template <class Connection>
result<std::pair<Connection, Connection>> make_pair_of(socket_type type) {
    loop* home = loop::current();
    if (!home) return failure(errc::no_loop);
    auto ends = home->via().open_pair(type);
    if (!ends) return failure(ends.error());
    auto first = detail::make_owner<Connection>(*home, ends->first);
    if (!first) return failure(first.error());
    auto second = detail::make_owner<Connection>(*home, ends->second);
    if (!second) return failure(second.error());
    return std::pair(std::move(*first), std::move(*second));
}

}  // namespace

// ---- streams --------------------------------------------------------------------------------

result<address> stream::local_address() const {
    if (!core()) return failure(errc::closed);
    return home().via().local_address(core()->record());
}

result<address> stream::peer_address() const {
    if (!core()) return failure(errc::closed);
    return home().via().peer_address(core()->record());
}

result<peer_identity> stream::identify_peer() const {
    if (!core()) return failure(errc::closed);
    return home().via().identify_peer(core()->record());
}

result<stream> stream::adopt(native_handle connected) {
    return detail::adopt_owner<stream>(connected, handle_kind::stream);
}

result<stream> stream::attach(detached_stream& from) { return attach_as<stream>(from); }

result<std::pair<stream, stream>> pair() { return make_pair_of<stream>(socket_type::stream); }

// ---- sequenced packets ----------------------------------------------------------------------

result<peer_identity> sequential::identify_peer() const {
    if (!core()) return failure(errc::closed);
    return via().identify_peer(record());
}

result<void> sequential::shut_down(shut direction) {
    if (!core()) return failure(errc::closed);
    return via().shut_down(record(), direction);
}

result<sequential> sequential::adopt(native_handle connected) {
    return detail::adopt_owner<sequential>(connected, handle_kind::datagram);
}

result<std::pair<sequential, sequential>> sequential_pair() {
    return make_pair_of<sequential>(socket_type::sequential);
}

// ---- datagrams ------------------------------------------------------------------------------

result<datagram> datagram::bind(std::string_view path, const bind_options& options) {
    loop* home = loop::current();
    if (!home) return failure(errc::no_loop);
    auto made = open_bound(*home, path, socket_type::datagram, options);
    if (!made) return failure(made.error());
    auto bound = detail::make_owner<datagram>(*home, made->socket);
    if (bound) bound->core()->keep_file(std::move(made->file));
    return bound;
}

result<datagram> datagram::open() {
    loop* home = loop::current();
    if (!home) return failure(errc::no_loop);
    auto opened = home->via().open_socket(address_family::unix_path, socket_type::datagram);
    if (!opened) return failure(opened.error());
    return detail::make_owner<datagram>(*home, *opened);
}

result<std::pair<datagram, datagram>> datagram::pair() {
    return make_pair_of<datagram>(socket_type::datagram);
}

result<datagram> datagram::adopt(native_handle native) {
    return detail::adopt_owner<datagram>(native, handle_kind::datagram);
}

// ---- listeners ------------------------------------------------------------------------------

template <class Connection>
result<basic_listener<Connection>> basic_listener<Connection>::bind(std::string_view path,
                                                                    const listen_options& options) {
    loop* home = loop::current();
    if (!home) return failure(errc::no_loop);
    constexpr auto type =
        std::is_same_v<Connection, stream> ? socket_type::stream : socket_type::sequential;
    auto made = open_bound(*home, path, type, {options.replace_stale, options.remove_on_close});
    if (!made) return failure(made.error());
    if (auto done = home->via().listen(*made->socket.record(), options.backlog); !done)
        return failure(done.error());
    auto listening = detail::make_owner<basic_listener>(*home, made->socket);
    if (listening) listening->core_->keep_file(std::move(made->file));
    return listening;
}

template <class Connection>
result<basic_listener<Connection>> basic_listener<Connection>::adopt(native_handle listening) {
    return detail::adopt_owner<basic_listener>(listening, handle_kind::listener);
}

template <class Connection>
result<address> basic_listener<Connection>::local_address() const {
    if (!core_) return failure(errc::closed);
    return core_->home().via().local_address(core_->record());
}

template class basic_listener<stream>;
template class basic_listener<sequential>;

}  // namespace upcall::unix_socket
