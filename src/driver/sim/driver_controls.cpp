// What the driver does at once: opening, naming, closing.
#include <cerrno>
#include <utility>

#include "datagram_socket.hpp"
#include "driver.hpp"
#include "listener.hpp"
#include "stream_end.hpp"

namespace upcall::sim {
namespace {

object& named(handle_record& target) noexcept { return *static_cast<sim_handle&>(target).named; }

stream_end::reach reach_of(address_family family) noexcept {
    return family == address_family::unix_path ? stream_end::reach::local
                                               : stream_end::reach::remote;
}

std::unexpected<std::error_code> over() noexcept { return errno_failure(ECANCELED); }

}  // namespace

handle sim_driver::wrap(native_handle native, std::shared_ptr<object> object, handle_kind kind) {
    auto* record = new sim_handle;
    record->via = this;
    record->native = native;
    record->kind = kind;
    record->named = std::move(object);
    return hand_out(*record);
}

result<handle> sim_driver::open_socket(address_family family, socket_type type) noexcept {
    if (over_) return over();
    if (family == address_family::none) return errno_failure(EAFNOSUPPORT);
    if (type == socket_type::datagram && family != address_family::unix_path) {
        auto made = std::make_shared<datagram_socket>(*here_, family);
        const auto native = here_->install(made);
        if (!native) return failure(native.error());
        return wrap(*native, std::move(made), handle_kind::datagram);
    }
    if (type != socket_type::stream) return failure(errc::unsupported);
    auto made = std::make_shared<stream_end>(*here_, family, reach_of(family));
    const auto native = here_->install(made);
    if (!native) return failure(native.error());
    return wrap(*native, std::move(made), handle_kind::stream);
}

result<std::pair<handle, handle>> sim_driver::wrap_pair(std::shared_ptr<object> first,
                                                        std::shared_ptr<object> second) {
    const auto one = here_->install(first);
    if (!one) return failure(one.error());
    const auto other = here_->install(second);
    if (!other) {
        here_->close(*one);
        return failure(other.error());
    }
    return std::pair(wrap(*one, std::move(first), handle_kind::stream),
                     wrap(*other, std::move(second), handle_kind::stream));
}

result<std::pair<handle, handle>> sim_driver::open_pair(socket_type type) noexcept {
    if (over_) return over();
    if (type != socket_type::stream) return failure(errc::unsupported);
    constexpr auto family = address_family::unix_path;
    auto one = std::make_shared<stream_end>(*here_, family, stream_end::reach::local);
    auto other = std::make_shared<stream_end>(*here_, family, stream_end::reach::local);
    stream_end::connect(one, other);
    return wrap_pair(std::move(one), std::move(other));
}

result<std::pair<handle, handle>> sim_driver::open_pipe() noexcept {
    if (over_) return over();
    constexpr auto family = address_family::none;
    auto read_end = std::make_shared<stream_end>(*here_, family, stream_end::reach::local);
    auto write_end = std::make_shared<stream_end>(*here_, family, stream_end::reach::local);
    stream_end::connect(read_end, write_end);
    stream_end::make_pipe(*read_end, *write_end);
    return wrap_pair(std::move(read_end), std::move(write_end));
}

result<void> sim_driver::bind(handle_record& target, const address& where) noexcept {
    if (over_) return over();
    return named(target).bind(where);
}

result<void> sim_driver::listen(handle_record& target, int backlog) noexcept {
    if (over_) return over();
    auto& record = static_cast<sim_handle&>(target);
    if (auto* listening = dynamic_cast<listener*>(record.named.get())) {
        listening->set_backlog(backlog);
        return {};
    }
    auto* socket = dynamic_cast<stream_end*>(record.named.get());
    if (!socket) return errno_failure(ENOTSOCK);
    if (!socket->is_fresh() || target.in_flight > 0) return errno_failure(EINVAL);
    if (!socket->is_bound()) {
        // As Linux does it: a listener without a name gets a port.
        if (socket->family() == address_family::unix_path) return errno_failure(EINVAL);
        if (auto bound = socket->bind(unnamed(socket->family())); !bound) return bound;
    }
    const address name = socket->give_name();
    auto made = std::make_shared<listener>(*here_, name, backlog);
    here_->names.answer(name, made);
    here_->replace(record.native, made);
    record.named = std::move(made);
    record.kind = handle_kind::listener;
    return {};
}

result<address> sim_driver::local_address(handle_record& target) noexcept {
    return named(target).local_address();
}

result<address> sim_driver::peer_address(handle_record& target) noexcept {
    return named(target).peer_address();
}

result<void> sim_driver::set_option(handle_record& target, socket_option which,
                                    std::int64_t value) noexcept {
    return named(target).set_option(which, value);
}

result<std::int64_t> sim_driver::get_option(handle_record& target, socket_option which) noexcept {
    return named(target).get_option(which);
}

result<void> sim_driver::shut_down(handle_record& target, shut direction) noexcept {
    if (over_) return over();
    return named(target).shut_down(direction);
}

result<handle> sim_driver::adopt(native_handle native, handle_kind kind) noexcept {
    if (over_) return over();
    auto object = here_->find(native);
    if (!object) return errno_failure(EBADF);
    return wrap(native, std::move(object), kind);
}

result<native_handle> sim_driver::release(handle& from) noexcept {
    auto& record = *static_cast<sim_handle*>(from.record());
    if (record.in_flight > 0) return errno_failure(EBUSY);
    from.detach();
    const native_handle native = record.native;
    delete &record;
    note_gone();
    return native;
}

descriptor sim_driver::own(native_handle native) noexcept {
    return {native,
            {[](void* argument, native_handle closed) noexcept {
                 static_cast<node*>(argument)->close(closed);
             },
             here_}};
}

std::int64_t sim_driver::destroy(handle_record& target) noexcept {
    auto& record = static_cast<sim_handle&>(target);
    const bool closed = over_ || record.kind == handle_kind::foreign || here_->close(record.native);
    delete &record;
    note_gone();
    return closed ? 0 : -EBADF;
}

}  // namespace upcall::sim
