#include <upcall/sync/detail/loop_channel_core.hpp>

#include "base/planted.hpp"

namespace upcall::detail {

// ---- the sender's loop ----------------------------------------------------------------------

crossing_send::crossing_send(loop_channel_core& core) noexcept : core_(&core) {
    core.hold();
    arrival_.of = withdrawal_.of = this;
}

crossing_send::~crossing_send() { core_->drop(); }

bool crossing_send::launch(context& where) noexcept {
    if (const cancel_cause refused = where.refuses(ends_on_stop); refused != cancel_cause::none) {
        why_ = errc_of(refused);
        return true;
    }
    if (core_->closed()) {
        why_ = errc::closed;
        return true;
    }
    if (core_->try_send(core_->value_of(*this))) return true;
    home_ = where.home().remote();
    begin(where);
    cancel = [](operation& op) noexcept {
        auto& self = static_cast<crossing_send&>(op);
        self.withdrawal_.run = [](ready_node& node) noexcept {
            crossing_send& sender = *static_cast<news&>(node).of;
            sender.core_->withdrawn(sender);
        };
        // Refused: the other loop is gone, and has answered before it went.
        if (self.core_->box_->post(self.withdrawal_)) ++self.away_;
    };
    arrival_.run = [](ready_node& node) noexcept {
        crossing_send& sender = *static_cast<news&>(node).of;
        sender.core_->arrived(sender);
    };
    away_ = 1;
    if (core_->box_->post(arrival_)) return false;
    why_ = errc::closed;
    retire();
    return true;
}

void crossing_send::come_back(std::uint8_t nodes) noexcept {
    away_ = static_cast<std::uint8_t>(away_ - nodes);
    if (away_ > 0) return;
    home_.reset();
    complete();
}

// ---- the receiver's loop --------------------------------------------------------------------

loop_channel_core::loop_channel_core(loop& home) : box_(home.remote()) {
    news_.of = this;
    news_.run = [](ready_node& node) noexcept {
        loop_channel_core& self = *static_cast<news&>(node).of;
        self.telling_.store(telling::idle, std::memory_order_seq_cst);
        self.serve();
        self.drop();
    };
}

// The one who takes the news from armed to posted posts it, and it is run before it is armed again.
void loop_channel_core::tell_receiver() noexcept {
    telling expected = telling::armed;
    if (telling_.load(std::memory_order_seq_cst) != telling::armed) return;
    if (UPCALL_PLANTED("a channel between loops tells nobody")) return;
    if (!telling_.compare_exchange_strong(expected, telling::posted, std::memory_order_seq_cst))
        return;
    hold();
    if (!box_->post(news_)) drop();
}

void loop_channel_core::arrived(crossing_send& sender) noexcept {
    sender.arrived_ = true;
    sender.returning_ = sender.withdrawn_ ? 2 : 1;
    if (sender.withdrawn_) return answer(sender, errc_of(sender.cause));
    if (closed()) return answer(sender, errc::closed);
    sender.in_line_ = true;
    in_line_.fetch_add(1, std::memory_order_relaxed);
    line_.push_back(sender);
    serve();
}

// It may overtake the arrival where a chooser reorders what is ready. If the sender was answered
// already, only the withdrawal has to go back.
void loop_channel_core::withdrawn(crossing_send& sender) noexcept {
    sender.withdrawn_ = true;
    if (!sender.arrived_) return;
    if (sender.in_line_) {
        sender.returning_ = 2;
        return answer(sender, errc_of(sender.cause));
    }
    sender.withdrawal_.run = [](ready_node& node) noexcept {
        static_cast<crossing_send::news&>(node).of->come_back(1);
    };
    sender.home_->post(sender.withdrawal_);
}

// The sender's loop is there: it does not end before its operations have.
void loop_channel_core::answer(crossing_send& sender, std::error_code why) noexcept {
    if (sender.in_line_) {
        sender.in_line_ = false;
        static_cast<list_hook<crossing_send>&>(sender).unlink();
        in_line_.fetch_sub(1, std::memory_order_relaxed);
    }
    sender.why_ = why;
    sender.arrival_.run = [](ready_node& node) noexcept {
        crossing_send& back = *static_cast<crossing_send::news&>(node).of;
        back.come_back(back.returning_);
    };
    sender.home_->post(sender.arrival_);
}

void loop_channel_core::admit_senders() noexcept {
    while (!line_.empty()) {
        crossing_send& first = line_.front();
        if (!push(value_of(first)) && !UPCALL_PLANTED("a full channel drops a value")) return;
        answer(first, {});
    }
}

/// Hands values to who waits for them, until there are none left or nobody waits.
void loop_channel_core::serve() noexcept {
    for (;;) {
        admit_senders();
        if (receivers_.empty()) return;
        if (ready()) {
            pop_into(static_cast<receive_base&>(receivers_.front()));
            receivers_.let_go();
            continue;
        }
        if (ended() && !ready()) {
            while (!receivers_.empty()) receivers_.let_go(errc::end_of_stream);
            return;
        }
        // Whoever puts a value in from here on sees that news is wanted; else we see the value.
        telling expected = telling::idle;
        telling_.compare_exchange_strong(expected, telling::armed, std::memory_order_seq_cst);
        if (!ready() && !ended()) return;
    }
}

bool loop_channel_core::receive_base::launch_on(loop_channel_core& core, context& where) noexcept {
    if (!core.receivers_.admits(*this, where)) return true;
    if (core.receivers_.empty() && core.ready()) {
        core.pop_into(*this);
        core.admit_senders();
        return true;
    }
    core.receivers_.enter(*this, where);
    core.serve();
    return false;
}

void loop_channel_core::close() noexcept {
    closed_.store(true, std::memory_order_seq_cst);
    while (!line_.empty()) answer(line_.front(), errc::closed);
    serve();
}

}  // namespace upcall::detail
