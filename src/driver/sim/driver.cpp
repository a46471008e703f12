#include "driver.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <upcall/base/fatal.hpp>
#include <upcall/op/context.hpp>

#include "driver/guard.hpp"
#include "file_requests.hpp"

namespace upcall::sim {
namespace {

object* named_by(const io_operation& op) noexcept {
    return op.target ? static_cast<sim_handle*>(op.target)->named.get() : nullptr;
}

}  // namespace

sim_driver::sim_driver(node& on, const driver_environment& lent)
    : driver(lent), here_(&on), kernel_(&on.kernel()) {
    kernel_->attach(*this);
}

sim_driver::~sim_driver() {
    await_helpers();
    UPCALL_ASSERT(arrived_.empty());
    kernel_->detach(*this);
}

// ---- operations ---------------------------------------------------------------------------------

bool sim_driver::submit(io_operation& op) noexcept {
    if (over_) {
        op.result = -ECANCELED;
        return true;
    }
    auto made = std::make_shared<request>(*kernel_, *this, op, kernel_->next_request());
    made->self = made;
    op.driver_block = made.get();
    in_flight_.push_back(*made);
    if (op.target) {
        auto& record = *static_cast<sim_handle*>(op.target);
        made->on = record.named;
        record.requests.push_back(*made);
    }
    guard(op);
    if (is_planned(op.kind)) {
        const auto& options = kernel_->options;
        const bool slow =
            op.kind != op_kind::work && kernel_->choice.chance(options.faults.slow_file);
        made->plan(kernel_->choice.within(slow ? options.slow_file_time : options.file_latency));
        return false;
    }
    made->may_finish_at_once = kernel_->choice.chance(kernel_->options.finish_at_once);
    object& there = *named_by(op);
    if (op.kind == op_kind::poll)
        there.start_poll(*made);
    else
        there.start(*made);
    made->may_finish_at_once = false;
    if (!made->finished_at_once) return false;
    note(*made, op.result, true);
    retire(*made);
    kernel_->fails_now(*here_);
    return true;
}

void sim_driver::retire(request& done) noexcept {
    unguard(*done.op);
    if (done.list_hook<on_handle>::linked()) done.list_hook<on_handle>::unlink();
    done.list_hook<on_driver>::unlink();
    done.op->driver_block = nullptr;
    done.op = nullptr;
    done.at = request::stage::reaped;
    done.self.reset();
}

void sim_driver::cancel(io_operation& op) noexcept {
    if (op.driver_block) static_cast<request*>(op.driver_block)->ask_to_end();
}

void sim_driver::cancel_all(handle_record& target) noexcept {
    static_cast<sim_handle&>(target).requests.for_each([](request& one) { one.ask_to_end(); });
}

void sim_driver::post(answer arrived) { arrived_.push_back(std::move(arrived)); }

bool sim_driver::reap() {
    std::size_t count = arrived_.size();
    if (count == 0) return false;
    if (count > 1 && kernel_->choice.chance(kernel_->options.split_batch))
        count = 1 + static_cast<std::size_t>(kernel_->choice.below(count - 1));
    while (count-- > 0) {
        if (kernel_->fails_now(*here_)) return true;
        answer oldest = std::move(arrived_.front());
        arrived_.pop_front();
        reap_one(std::move(oldest));
    }
    return true;
}

void sim_driver::reap_one(answer arrived) {
    request& made = *arrived.to;
    io_operation& op = *made.op;
    note(made, arrived.result, arrived.last);
    if (arrived.leased) carried_.erase(arrived.leased);
    if (!arrived.last) {
        auto& source = static_cast<io_source&>(op);
        return source.deliver(source, arrived.result, arrived.leased);
    }
    op.leased = arrived.leased;
    retire(made);
    finish(op, arrived.result);
}

void sim_driver::note(const request& made, std::int64_t result, bool last) noexcept {
    kernel_->note({kernel_->now(), here_->id(), made.id, made.op->kind, result, last,
                   made.op->owner ? made.op->owner->name() : ""});
}

// ---- when the program is over -------------------------------------------------------------------

void sim_driver::lose_program() {
    over_ = true;
    now_after_ = kernel_->now();
    kernel_->detach(*this);
    for (std::byte* block : std::exchange(carried_, {})) buffers().give_back(block);
    arrived_.clear();
    in_flight_.for_each([&](request& made) {
        if (made.on) made.on->forget(made);
        made.at = request::stage::decided;
        made.given_up = true;
        arrived_.push_back({made.self, -ECANCELED});
    });
    kernel_->interrupt();
}

// Nothing can delay the remains of the program but themselves.
void sim_driver::poll_after(time_point deadline) {
    collect_elsewhere();
    while (!arrived_.empty()) {
        const answer oldest = std::move(arrived_.front());
        arrived_.pop_front();
        io_operation& op = *oldest.to->op;
        retire(*oldest.to);
        finish(op, oldest.result);
    }
    if (woken_.exchange(false, std::memory_order_acquire) || !ready().empty()) return;
    if (deadline != never) now_after_ = std::max(now_after_, deadline);
}

// ---- waiting ------------------------------------------------------------------------------------

void sim_driver::starves(object& waiting) {
    starving_.emplace(waiting.number(), waiting.weak_from_this());
}

void sim_driver::feed_starving() {
    if (!std::exchange(refilled_, false)) return;
    const auto all = std::exchange(starving_, {});
    for (const auto& [number, waiting] : all)
        if (const auto object = waiting.lock()) object->refilled();
}

bool sim_driver::has_news() noexcept {
    collect_elsewhere();
    feed_starving();
    kernel_->fire_due();
    const bool reaped = reap();
    // What another thread finished may be here before its wake.
    return woken_.exchange(false, std::memory_order_acquire) || reaped || !ready().empty();
}

bool sim_driver::is_asleep() const noexcept {
    return asleep_ && arrived_.empty() && !refilled_ && !woken_.load(std::memory_order_relaxed);
}

void sim_driver::poll(time_point deadline) noexcept {
    if (over_) return poll_after(deadline);
    if (kernel_->now() == last_turn_) kernel_->spend(kernel_->options.turn_cost);
    poll_until(deadline);
    last_turn_ = kernel_->now();
}

void sim_driver::poll_until(time_point deadline) {
    kernel_->polls(*this);
    asleep_ = false;
    if (has_news() || deadline <= kernel_->now()) return;
    asleep_ = true;
    deadline_ = deadline;
    while (kernel_->falls_asleep(*this)) {
        kernel_->advance(*this);
        const bool has_more = !has_news() && deadline > kernel_->now();
        if (!kernel_->take_interrupt() && has_more) continue;
        asleep_ = false;
        return;
    }
}

void sim_driver::wake() noexcept {
    woken_.store(true, std::memory_order_release);
    kernel_->woken();
}

}  // namespace upcall::sim
