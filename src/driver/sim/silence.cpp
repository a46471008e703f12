// What the end of a stream does about a line that is cut and a computer that lost power: nothing,
// for as long as it has nothing to say; else it asks again and again, and gives up at last.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "machine.hpp"
#include "stream_end.hpp"

namespace upcall::sim {

void stream_end::join(node& other) noexcept {
    there_ = &other;
    there_boot_ = other.boots();
}

bool stream_end::peer_is_known() const noexcept { return there_->boots() == there_boot_; }

bool stream_end::is_cut_off() const {
    return !kernel().reaches(here(), *there_) || !kernel().reaches(*there_, here());
}

// Whether what is arriving has to wait: its sender sends it again until it comes through.
bool stream_end::held_back() {
    if (there_ == &here() || phase_ == phase::closed) return false;
    const links::way way{there_->number(), here().number()};
    const time_point until = kernel().lines.clogged_until(way);
    if (until > kernel().now()) {
        last_arrival_ = std::max(last_arrival_, until);
        kernel().plan(last_arrival_, shared_from_this(), event_arrival);
        return true;
    }
    // What was under way when its sender lost power is past the sender's computer.
    if (kernel().lines.open(way)) return false;
    ++held_arrivals_;
    if (!there_->is_on() || !peer_is_known()) lose_held();
    return true;
}

void stream_end::count_credit(std::uint64_t bytes) {
    if (there_ != &here() && !kernel().reaches(*there_, here())) {
        held_credit_ += bytes;
        return;
    }
    under_way_ -= static_cast<std::size_t>(bytes);
    changed();
}

// Nobody is left who would send it again; what comes behind it is of no use any more.
void stream_end::lose_held() {
    if (held_arrivals_ == 0) return;
    inbound_.erase(inbound_.begin(), inbound_.begin() + std::exchange(held_arrivals_, 0));
    has_gap_ = true;
}

// Some of what comes in has come in; the other kernel learns of it, if this one can say so.
void stream_end::acknowledge(std::size_t bytes) {
    if (there_ != &here() && !kernel().reaches(here(), *there_)) return;
    const auto sender = peer_.lock();
    if (!sender) return;
    sender->unacknowledged_ -= std::min(bytes, sender->unacknowledged_);
    ++sender->progress_;
}

std::size_t stream_end::not_arrived() const {
    std::size_t bytes = 0;
    for (const segment& one : inbound_) bytes += one.bytes.size();
    return bytes;
}

void stream_end::hear_again(const node& from) {
    if (&from != there_ || phase_ != phase::connected) return;
    if (!peer_is_known()) {
        lose_held();
        // What is sent again to a computer that has forgotten is answered with a reset.
        if (unacknowledged_ > 0) push(part::reset);
        return;
    }
    if (const auto peer = peer_.lock()) unacknowledged_ = peer->not_arrived();
    for (; held_arrivals_ > 0; --held_arrivals_) {
        last_arrival_ = std::max(last_arrival_, saturating_add(kernel().now(), delay()));
        kernel().plan(last_arrival_, shared_from_this(), event_arrival);
    }
    if (held_credit_ > 0)
        kernel().plan_after(delay(), shared_from_this(), event_credit,
                            std::exchange(held_credit_, 0));
}

void stream_end::hear_no_more(const node& from) {
    if (&from != there_ || phase_ != phase::connected) return;
    if (!from.is_on()) lose_held();
    if (unacknowledged_ > 0) watch_silence();
}

void stream_end::watch_silence() {
    if (watching_silence_) return;
    watching_silence_ = true;
    kernel().plan_after(kernel().options.give_up_after, shared_from_this(), event_give_up,
                        progress_);
}

// tcp(7), tcp_retries2: what nobody acknowledges ends the connection at last.
void stream_end::give_up(std::uint64_t progress) {
    watching_silence_ = false;
    if (phase_ != phase::connected || reset_ || unacknowledged_ == 0 || !is_cut_off()) return;
    if (progress != progress_) return watch_silence();
    reset_ = true;
    pending_error_ = ETIMEDOUT;
    changed();
}

void stream_end::vanish() {
    phase_ = phase::closed;
    connector_ = nullptr;
}

void stream_end::forget(request& made) {
    if (connector_.get() == &made) {
        connector_ = nullptr;
        phase_ = phase::fresh;
    }
    object::forget(made);
}

}  // namespace upcall::sim
