#include <upcall/io/message_socket.hpp>

namespace upcall {

namespace detail {

receive_message_operation::receive_message_operation(arguments&& given) noexcept {
    kind = op_kind::receive_message;
    core = given.core;
    ends_on_stop = given.idle;
    whole = given.buffer;
}

upcall::result<datagram> receive_message_operation::take() const noexcept {
    if (const std::error_code why = error()) return failure(why);
    return datagram{.size = static_cast<std::size_t>(result),
                    .peer = content.peer,
                    .truncated = content.data_truncated,
                    .descriptors_lost = content.handles_truncated};
}

send_message_operation::send_message_operation(arguments&& given) noexcept {
    kind = op_kind::send_message;
    core = given.core;
    whole = given.buffer;
    content.peer = given.peer;
}

upcall::result<void> send_message_operation::take() const noexcept {
    if (const std::error_code why = error()) return failure(why);
    return {};
}

bool connect_message_operation::launch(context& where) noexcept {
    result = raw_error(errc::closed);
    if (!core_) return true;
    const cancel_cause refused = where.refuses(ends_on_stop);
    if (refused != cancel_cause::none) {
        result = raw_error(errc_of(refused));
        return true;
    }
    if (&where.home() != &core_->home()) {
        result = raw_error(errc::wrong_loop);
        return true;
    }
    kind = op_kind::connect;
    target = &core_->record();
    data = &peer_;
    begin(where);
    if (!core_->home().via().start(*this)) return false;
    retire();
    return true;
}

upcall::result<void> connect_message_operation::take() const noexcept {
    if (result < 0) return failure(error_of(*this));
    return {};
}

}  // namespace detail

result<address> message_socket::local_address() const {
    if (!core_) return failure(errc::closed);
    return via().local_address(record());
}

result<address> message_socket::peer_address() const {
    if (!core_) return failure(errc::closed);
    return via().peer_address(record());
}

result<void> message_socket::set_option(socket_option which, std::int64_t value) {
    if (!core_) return failure(errc::closed);
    return via().set_option(record(), which, value);
}

result<std::int64_t> message_socket::option(socket_option which) const {
    if (!core_) return failure(errc::closed);
    return via().get_option(record(), which);
}

result<native_handle> message_socket::release() {
    if (!core_) return failure(errc::closed);
    if (!core_->idle()) return failure(std::make_error_code(std::errc::device_or_resource_busy));
    auto native = via().release(core_->socket());
    if (native) close_now();
    return native;
}

}  // namespace upcall
