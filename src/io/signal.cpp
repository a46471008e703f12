#include <upcall/io/signal.hpp>

namespace upcall {

namespace detail {

void signal_core::abandon() noexcept {
    abandoned = true;
    bell.close();
    drop();
}

bool next_signal_operation::launch(context& where) noexcept {
    result = raw_error(errc::closed);
    if (!core_) return true;
    const cancel_cause refused = where.refuses(ends_on_stop);
    if (refused != cancel_cause::none || &where.home() != core_->home) {
        result = raw_error(refused != cancel_cause::none ? errc_of(refused) : errc::wrong_loop);
        return true;
    }
    result = 0;
    if (core_->watch.take(event_, false)) return true;
    awaits = waits_for::signal;
    kind = op_kind::read;
    target = core_->bell.record();
    data = rung_.data();
    size = rung_.size();
    begin(where);
    ++core_->references;
    do {
        if (!core_->home->via().start(*this)) return false;
    } while (!look(true));
    retire();
    core_->drop();
    return true;
}

/// The bell was read, or the wait has ended. False: it rang for what another has taken.
bool next_signal_operation::look(bool drained) noexcept {
    if (result < 0) return true;
    if (core_->abandoned) {
        result = raw_error(errc::closed);
        return true;
    }
    if (core_->watch.take(event_, drained)) return true;
    if (cause == cancel_cause::none) return false;
    result = raw_error(errc_of(cause));
    return true;
}

bool next_signal_operation::settle() noexcept {
    while (!look(true)) {
        state = op_state::in_flight;
        if (!via->start(*this)) return false;
        state = op_state::ready;
    }
    core_->drop();
    return true;
}

upcall::result<signal_event> next_signal_operation::take() const noexcept {
    if (result < 0) return failure(error_of(*this));
    return event_;
}

}  // namespace detail

result<signal_set> signal_set::watch(std::span<const int> numbers) {
    loop* home = loop::current();
    if (!home) return failure(errc::no_loop);
    signal_set made(*new detail::signal_core);
    detail::signal_core& core = *made.core_;
    core.home = home;
    auto readable = core.watch.open();
    if (!readable) return failure(readable.error());
    auto bell = home->via().adopt(readable->get(), handle_kind::stream);
    if (!bell) return failure(bell.error());
    readable->release();
    core.bell = std::move(*bell);
    for (const int number : numbers)
        if (auto added = core.watch.add(number); !added) return failure(added.error());
    return made;
}

}  // namespace upcall
