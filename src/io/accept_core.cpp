#include <upcall/io/detail/accept_core.hpp>

#include <cerrno>
#include <new>

#include <upcall/driver/learns_late.hpp>
#include <upcall/os/descriptor.hpp>

#include "base/planted.hpp"

namespace upcall::detail {
namespace {

// Out of descriptors or memory: nobody tells when there are some again, so it is tried again after
// this long. Meanwhile peers wait in the kernel's queue, and the loop sleeps.
constexpr duration retry_after = std::chrono::milliseconds(20);

bool is_shortage(std::int64_t raw) noexcept {
    return raw == -EMFILE || raw == -ENFILE || raw == -ENOMEM || raw == -ENOBUFS;
}

// What accept(2) says of a connection that died in the queue: not the listener's concern.
bool is_peers_fault(std::int64_t raw) noexcept { return raw == -ECONNABORTED || raw == -EPROTO; }

}  // namespace

accept_core::accept_core(loop& home, handle&& file) noexcept
    : home_(&home), file_(std::move(file)) {
    accepting_.core = this;
    accepting_.kind = op_kind::accept;
    accepting_.target = file_.record();
    accepting_.deliver = [](io_source& source, std::int64_t value, std::byte*) noexcept {
        accept_core& core = *static_cast<accept_source&>(source).core;
        core.accepted(value);
        core.pump();
    };
    accepting_.run = [](ready_node& node) noexcept {
        accept_core& core = *static_cast<accept_source&>(node).core;
        core.accepting_.retire();
        core.accepting_ended();
        core.pump();
        core.drop();
    };
    retry_.core = this;
    retry_.fire = [](timer_node& timer) noexcept {
        accept_core& core = *static_cast<retry_timer&>(timer).core;
        core.pump();
        core.drop();
    };
}

void accept_core::abandon() noexcept {
    abandoned_ = true;
    if (retry_.armed()) {
        home_->timers().remove(retry_);
        drop();
    }
    while (accept_waiter* waiter = waiting_.pop()) finish(*waiter, raw_error(errc::closed));
    refuse_accepted();
    bound_file_.remove();
    file_.close();
    drop();
}

/// Peers that connected while nobody asked.
void accept_core::refuse_accepted() noexcept {
    while (accepted_first_ < accepted_.size()) refuse(*home_, accepted_[accepted_first_++]);
    accepted_.clear();
    accepted_first_ = 0;
}

void accept_core::refuse(loop& home, native_handle peer) noexcept { home.via().own(peer).close(); }

bool accept_core::launch(accept_waiter& waiter, context& where) noexcept {
    const cancel_cause refused = where.refuses(waiter.ends_on_stop);
    if (refused != cancel_cause::none || &where.home() != home_) {
        waiter.outcome =
            raw_error(refused == cancel_cause::none ? errc::wrong_loop : errc_of(refused));
        return true;
    }
    waiter.begin(where);
    waiter.cancel = cancel_waiter;
    waiter.finished = false;
    waiter.launching = true;
    hold();
    waiting_.push(waiter);
    hold();
    pump();
    drop();
    waiter.launching = false;
    if (!waiter.finished) return false;
    waiter.retire();
    return true;
}

void accept_core::cancel_waiter(operation& op) noexcept {
    auto& waiter = static_cast<accept_waiter&>(op);
    accept_core& core = *waiter.core;
    accept_source& accepting = core.accepting_;
    if (core.waiting_.front() == &waiter) {
        // Somebody may have connected all the same, and is here as soon as the loop runs what has
        // come already, or at once.
        if (accepting.state == op_state::ready && accepting.result >= 0) return;
        auto* late = dynamic_cast<learns_late*>(&core.home_->via());
        if (late && accepting.state == op_state::in_flight) late->look_again(accepting);
        if (waiter.finished) return;
    }
    core.waiting_.remove(waiter);
    core.finish(waiter, raw_error(errc_of(waiter.cause)));
}

void accept_core::finish(accept_waiter& waiter, std::int64_t outcome) noexcept {
    waiter.outcome = outcome;
    waiter.finished = true;
    if (!waiter.launching) waiter.complete();
    drop();
}

void accept_core::pump() noexcept {
    if (pumping_) return;
    pumping_ = true;
    while (!waiting_.empty()) {
        if (accepted_first_ < accepted_.size()) {
            finish(*waiting_.pop(), take_accepted());
        } else if (abandoned_ || ended_ != 0) {
            const std::int64_t why =
                abandoned_ ? raw_error(errc::closed) : std::exchange(ended_, 0);
            finish(*waiting_.pop(), why);
        } else if (accepting_.state != op_state::idle || retry_.armed()) {
            break;
        } else {
            arm();
        }
    }
    pumping_ = false;
}

void accept_core::allow_ahead(bool on) noexcept {
    ahead_ = on;
    // A multishot accept takes all that wait in the kernel; it is armed again for one at a time.
    if (!on && accepting_.is_source()) accepting_.request_cancel(cancel_cause::cancelled);
}

/// The oldest of what was accepted. Those in front of servers that never quite catch up are cleared
/// away now and then, so that there is room for `accepted_max`.
native_handle accept_core::take_accepted() noexcept {
    const native_handle peer = accepted_[accepted_first_++];
    if (accepted_first_ == accepted_.size() || accepted_first_ >= accepted_max) {
        accepted_.erase(accepted_.begin(),
                        accepted_.begin() + static_cast<std::ptrdiff_t>(accepted_first_));
        accepted_first_ = 0;
    }
    return peer;
}

void accept_core::arm() noexcept {
    try {
        accepted_.reserve(2 * accepted_max);
    } catch (const std::bad_alloc&) {
        return try_again_later();
    }
    accepting_.flags = ahead_ ? op_multishot : op_none;
    accepting_.begin(home_->background());
    hold();
    if (!home_->via().start(accepting_)) return;
    accepting_.retire();
    accepting_ended();
    drop();  // never the last: a waiter holds one
}

void accept_core::try_again_later() noexcept {
    hold();
    home_->timers().add(retry_, home_->now() + retry_after);
}

void accept_core::accepting_ended() noexcept {
    const std::int64_t outcome = accepting_.result;
    if (outcome >= 0) return accepted(outcome);
    if (outcome == -ECANCELED || is_peers_fault(outcome)) return;
    if (is_shortage(outcome) && !abandoned_) return try_again_later();
    ended_ = outcome;
}

void accept_core::accepted(std::int64_t value) noexcept {
    const auto peer = static_cast<native_handle>(value);
    if (abandoned_) return refuse(*home_, peer);
    if (UPCALL_PLANTED("a connection is refused when nobody waits for it") && waiting_.empty())
        return refuse(*home_, peer);
    try {
        accepted_.push_back(peer);
    } catch (const std::bad_alloc&) {
        // More than there was room for came at once, before the kernel took note of the limit.
        ended_ = -ENOMEM;
        return refuse(*home_, peer);
    }
    if (accepted_.size() - accepted_first_ >= accepted_max)
        accepting_.request_cancel(cancel_cause::cancelled);
}

accept_operation::~accept_operation() {
    if (outcome >= 0) accept_core::refuse(owner->home(), static_cast<native_handle>(outcome));
}

upcall::result<handle> accept_operation::take_handle() {
    if (outcome < 0) return failure(error_from_raw(outcome));
    auto socket = owner->home().via().adopt_accepted(static_cast<native_handle>(outcome));
    if (socket) outcome = raw_error(errc::closed);
    return socket;
}

}  // namespace upcall::detail
