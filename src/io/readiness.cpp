#include <upcall/io/readiness.hpp>

namespace upcall {

namespace detail {

bool readiness_operation::launch(context& where) noexcept {
    const cancel_cause refused = where.refuses(ends_on_stop);
    driver& here = where.home().via();
    target = given_.watched;
    if (refused != cancel_cause::none) {
        result = raw_error(errc_of(refused));
        return true;
    }
    if (given_.once) {
        auto opened = here.adopt(given_.descriptor, handle_kind::foreign);
        if (!opened) {
            result = raw_error(opened.error());
            return true;
        }
        once_ = std::move(*opened);
        target = once_.record();
    }
    if (!target || target->via != &here) {
        result = raw_error(target ? errc::wrong_loop : errc::closed);
        return true;
    }
    kind = op_kind::poll;
    size = given_.wanted;
    begin(where);
    if (!here.start(*this)) return false;
    retire();
    return true;
}

upcall::result<std::uint32_t> readiness_operation::take() noexcept {
    once_.close();
    if (result < 0) return failure(error_of(*this));
    return static_cast<std::uint32_t>(result);
}

}  // namespace detail

result<watched> watched::start(native_handle descriptor) {
    loop* home = loop::current();
    if (!home) return failure(errc::no_loop);
    auto opened = home->via().adopt(descriptor, handle_kind::foreign);
    if (!opened) return failure(opened.error());
    return watched(std::move(*opened));
}

}  // namespace upcall
