#include <upcall/io/detail/message_core.hpp>

#include <cerrno>

namespace upcall::detail {

// A waiter is in its queue from `launch` until `settle`, or until it is cancelled behind others.
// The first of a queue is in the driver's hands, or its outcome waits for the loop. So whoever ends
// first has its turn run first, and the next one is started only then: one at a time per direction,
// which is what keeps the order on a ring, too.

bool message_waiter::launch(context& where) noexcept {
    result = raw_error(errc::closed);
    if (!core) return true;
    const cancel_cause refused = where.refuses(ends_on_stop);
    message_core::direction& mine = core->direction_of(*this);
    if (refused != cancel_cause::none)
        result = raw_error(errc_of(refused));
    else if (&where.home() != &core->home())
        result = raw_error(errc::wrong_loop);
    else if (mine.count >= message_core::waiting_max)
        result = raw_error(errc::queue_full);
    else if (core->connected_ && kind == op_kind::send_message && whole.size == 0)
        result = -EINVAL;  // the peer would take it for the end
    else {
        ends = core->connected_ && whole.size > 0;
        target = &core->record();
        data = &content;
        content.slices = &whole;
        content.slice_count = 1;
        begin(where);
        core->hold();
        const bool first = mine.waiting.empty();
        mine.waiting.push(*this);
        ++mine.count;
        if (!first) {
            cancel = message_core::cancel_queued;
            return false;
        }
        if (!core->start(*this)) return false;
        retire();
        core->leave(*this);
    }
    return true;
}

bool message_waiter::settle() noexcept {
    if (core) core->leave(*this);
    return true;
}

std::error_code message_waiter::error() const noexcept {
    if (result < 0) return error_of(*this);
    if (result == 0 && ends && kind == op_kind::receive_message) return errc::end_of_stream;
    return {};
}

/// Hands the first of a queue to the driver. True: its outcome is there.
bool message_core::start(message_waiter& waiter) noexcept { return home_->via().start(waiter); }

/// Takes a waiter out of its queue and starts whoever is first then. The last one frees the core.
void message_core::leave(message_waiter& waiter) noexcept {
    direction& in = direction_of(waiter);
    waiter.core = nullptr;
    const bool was_first = in.waiting.front() == &waiter;
    if (in.waiting.remove(waiter)) {
        --in.count;
        if (was_first) start_next(in);
    }
    drop();
}

void message_core::start_next(direction& in) noexcept {
    message_waiter* next = in.waiting.front();
    if (!next || abandoned_) return;
    // One that was cancelled meanwhile is on its way already.
    if (next->state == op_state::in_flight && start(*next)) next->complete();
}

/// Cancels a waiter behind others. It leaves the queue now, so that its turn never comes.
void message_core::cancel_queued(operation& op) noexcept {
    auto& waiter = static_cast<message_waiter&>(op);
    message_core& core = *waiter.core;
    direction& in = core.direction_of(waiter);
    if (in.waiting.remove(waiter)) --in.count;
    waiter.result = -ECANCELED;
    waiter.complete();
}

void message_core::abandon() noexcept {
    abandoned_ = true;
    for (direction* in : {&receiving_, &sending_}) {
        message_waiter* first = in->waiting.pop();
        while (message_waiter* waiter = in->waiting.pop()) {
            --in->count;
            waiter->result = raw_error(errc::closed);
            waiter->complete();
        }
        if (first) in->waiting.push(*first);
    }
    bound_file_.remove();
    socket_.close();  // ends the two that are in flight
    drop();
}

}  // namespace upcall::detail
