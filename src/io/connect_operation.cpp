#include <upcall/io/detail/connect_operation.hpp>

namespace upcall::detail {

/// 0, or why it cannot even start.
std::int64_t connect_operation::prepare(context& where) noexcept {
    const cancel_cause refused = where.refuses(ends_on_stop);
    if (refused != cancel_cause::none) return raw_error(errc_of(refused));
    if (!given_.peer) return raw_error(given_.peer.error());
    driver& opener = home_->via();
    auto socket = opener.open_socket(given_.peer->family(), given_.type);
    if (!socket) return raw_error(socket.error());
    socket_ = std::move(*socket);
    if (given_.local.family() == address_family::none) return 0;
    auto bound = opener.bind(*socket_.record(), given_.local);
    return bound ? 0 : raw_error(bound.error());
}

bool connect_operation::launch(context& where) noexcept {
    home_ = &where.home();
    result = prepare(where);
    if (result < 0) return true;
    kind = op_kind::connect;
    target = socket_.record();
    data = &*given_.peer;
    begin(where);
    if (!home_->via().start(*this)) return false;
    retire();
    return true;
}

upcall::result<handle> connect_operation::take_handle() {
    if (result >= 0) return std::move(socket_);
    socket_.close();
    return failure(error_of(*this));
}

}  // namespace upcall::detail
