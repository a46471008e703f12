#include <upcall/io/udp.hpp>

namespace upcall::udp {
namespace {

result<void> prepare(driver& via, handle_record& record, address_family family,
                     const bind_options& options) {
    if (options.reuse_address)
        if (auto done = via.set_option(record, socket_option::reuse_address, 1); !done) return done;
    if (options.reuse_port)
        if (auto done = via.set_option(record, socket_option::reuse_port, 1); !done) return done;
    if (family == address_family::ipv6)
        return via.set_option(record, socket_option::only_ipv6, options.only_ipv6);
    return {};
}

bool is_ip(address_family family) noexcept {
    return family == address_family::ipv4 || family == address_family::ipv6;
}

}  // namespace

result<socket> socket::bind(std::string_view where, const bind_options& options) {
    auto parsed = address::parse(where);
    if (!parsed) return failure(parsed.error());
    return bind(*parsed, options);
}

result<socket> socket::bind(const address& where, const bind_options& options) {
    auto made = open(where.family());
    if (!made) return made;
    auto done = prepare(made->via(), made->record(), where.family(), options);
    if (done) done = made->via().bind(made->record(), where);
    if (!done) return failure(done.error());
    return made;
}

result<socket> socket::open(address_family family) {
    loop* home = loop::current();
    if (!home) return failure(errc::no_loop);
    if (!is_ip(family)) return failure(std::make_error_code(std::errc::invalid_argument));
    auto opened = home->via().open_socket(family, socket_type::datagram);
    if (!opened) return failure(opened.error());
    return detail::make_owner<socket>(*home, *opened);
}

result<socket> socket::adopt(native_handle native) {
    return detail::adopt_owner<socket>(native, handle_kind::datagram);
}

result<void> socket::join(const address& group, std::uint32_t interface_number) {
    if (!*this) return failure(errc::closed);
    return via().set_membership(record(), group, interface_number, true);
}

result<void> socket::leave(const address& group, std::uint32_t interface_number) {
    if (!*this) return failure(errc::closed);
    return via().set_membership(record(), group, interface_number, false);
}

}  // namespace upcall::udp
