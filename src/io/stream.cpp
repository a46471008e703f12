#include <upcall/io/stream.hpp>

namespace upcall {

namespace detail {

bool read_operation::launch(context& where) noexcept {
    outcome = raw_error(errc::closed);
    return !core || core->launch_read(*this, where);
}

transfer read_exactly_operation::take() const noexcept {
    if (outcome >= 0) return {done, {}};
    if (outcome == raw_error(errc::end_of_stream) && done > 0) return {done, errc::unexpected_end};
    return {done, error_from_raw(outcome)};
}

bool receive_operation::launch(context& where) noexcept {
    outcome = raw_error(errc::closed);
    return !core || core->launch_read(*this, where);
}

bool write_operation::launch(context& where) noexcept {
    outcome = raw_error(errc::closed);
    return !core || core->launch_write(*this, where);
}

bool shut_down_operation::launch(context& where) noexcept {
    outcome = raw_error(errc::closed);
    return !core || core->launch_write(*this, where);
}

bool detach_operation::launch(context& where) noexcept {
    outcome = raw_error(errc::closed);
    core = from_->core();
    return !core || core->launch_leave(*this, where);
}

result<detached_stream> detach_operation::take() {
    if (outcome < 0) return failure(error_from_raw(outcome));
    if (from_->core() != core) return failure(errc::closed);  // others ran first, and closed it
    detached_stream taken;
    taken.received = core->take_received();
    taken.end = core->take_end();
    auto native = core->home().via().release(core->file());
    if (!native) {
        core->put_received(taken.received, taken.end);
        return failure(native.error());
    }
    taken.socket = descriptor(*native);
    from_->close_now();
    return taken;
}

}  // namespace detail

result<void> byte_stream::set_option(socket_option which, std::int64_t value) {
    if (!core_) return failure(errc::closed);
    return core_->home().via().set_option(*core_->file().record(), which, value);
}

result<std::int64_t> byte_stream::option(socket_option which) {
    if (!core_) return failure(errc::closed);
    return core_->home().via().get_option(*core_->file().record(), which);
}

result<void> byte_stream::shut_down_reading() {
    if (!core_) return failure(errc::closed);
    return core_->home().via().shut_down(*core_->file().record(), shut::reading);
}

result<detail::stream_core*> byte_stream::adopt_core(native_handle connected) {
    loop* home = loop::current();
    if (!home) return failure(errc::no_loop);
    auto opened = home->via().adopt(connected, handle_kind::stream);
    if (!opened) return failure(opened.error());
    try {
        return new detail::stream_core(*home, std::move(*opened));
    } catch (const std::bad_alloc&) {
        static_cast<void>(home->via().release(*opened));  // still the caller's
        return failure(std::make_error_code(std::errc::not_enough_memory));
    }
}

result<detail::stream_core*> byte_stream::attach_core(detached_stream& from) {
    auto core = adopt_core(from.socket.get());
    if (!core) return failure(core.error());
    if (!(*core)->put_received(from.received, from.end)) {
        static_cast<void>((*core)->home().via().release((*core)->file()));
        (*core)->abandon();
        return failure(std::make_error_code(std::errc::no_buffer_space));
    }
    from.socket.release();
    from = {};
    return *core;
}

result<byte_stream> byte_stream::attach(detached_stream& from) {
    auto core = attach_core(from);
    if (!core) return failure(core.error());
    return byte_stream(**core);
}

result<native_handle> byte_stream::release() {
    if (!core_) return failure(errc::closed);
    if (!core_->idle()) return failure(std::make_error_code(std::errc::device_or_resource_busy));
    auto native = core_->home().via().release(core_->file());
    if (native) close_now();
    return native;
}

}  // namespace upcall
