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

bool close_operation::launch(context& where) noexcept {
    if (!core_) return true;
    handle_record& record = *core_->file().record();
    record.on_closed_argument = this;
    record.on_closed = [](void* argument, std::int64_t outcome) noexcept {
        auto& self = *static_cast<close_operation*>(argument);
        self.outcome_ = outcome;
        self.core_ = nullptr;
        if (!self.launching_) self.complete();
    };
    begin(where);
    cancel = [](operation&) noexcept {};  // closing goes on
    launching_ = true;
    core_->abandon();
    launching_ = false;
    if (core_) return false;
    retire();
    return true;
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

result<native_handle> byte_stream::release() {
    if (!core_) return failure(errc::closed);
    if (!core_->idle()) return failure(std::make_error_code(std::errc::device_or_resource_busy));
    auto native = core_->home().via().release(core_->file());
    if (native) close_now();
    return native;
}

}  // namespace upcall
