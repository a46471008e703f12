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
    taken.socket = core->home().via().own(*native);
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

/// The rest of what was detached, once its socket was adopted. On error it keeps all of it.
result<void> byte_stream::take_over(detached_stream& from) noexcept {
    if (!core_->put_received(from.received, from.end)) {
        const auto given_back = release();
        UPCALL_ASSERT(given_back);  // nothing was started on it
        return failure(std::errc::no_buffer_space);
    }
    from.socket.release();
    from = {};
    return {};
}

result<byte_stream> byte_stream::attach(detached_stream& from) {
    return attach_as<byte_stream>(from);
}

result<native_handle> byte_stream::release() {
    if (!core_) return failure(errc::closed);
    if (!core_->idle()) return failure(std::make_error_code(std::errc::device_or_resource_busy));
    auto native = core_->home().via().release(core_->file());
    if (native) close_now();
    return native;
}

}  // namespace upcall
