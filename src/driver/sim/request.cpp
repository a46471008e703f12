#include "request.hpp"

#include <algorithm>
#include <cerrno>

#include <upcall/base/fatal.hpp>

#include "driver.hpp"
#include "file_requests.hpp"
#include "machine.hpp"

namespace upcall::sim {

void request::ask_to_end() {
    if (at != stage::waiting || asked) return;
    asked = true;
    const duration delay = kernel->choice.within(kernel->options.cancel_delay);
    if (delay == duration::zero()) return withdraw();
    kernel->plan_after(delay, shared_from_this(), event_withdraw);
}

void request::plan(duration latency) {
    begins = saturating_add(kernel->now(), latency / 2);
    kernel->plan_after(latency, shared_from_this(), event_perform);
}

void request::fire(std::uint32_t what, std::uint64_t) {
    if (at != stage::waiting || given_up) return;
    if (what == event_withdraw) return withdraw();
    at = stage::decided;
    via->post({self, perform_planned(*this)});
}

void request::withdraw() {
    if (op->kind == op_kind::poll) return on->withdraw_poll(*this);
    if (begins == never) return on->withdraw(*this);
    if (kernel->now() >= begins) return;  // it is being done
    at = stage::decided;
    via->post({self, -ECANCELED});
}

void lane::send(request& to, std::int64_t result, std::byte* leased, bool last) {
    UPCALL_ASSERT(to.at == request::stage::waiting);
    if (last) to.at = request::stage::decided;
    if (last && to.may_finish_at_once && due_.empty()) {
        to.finished_at_once = true;
        to.op->result = result;
        to.op->leased = leased;
        return;
    }
    if (leased) to.via->carries(leased);
    due_.push_back({to.self, result, leased, last});
    kernel_->plan_after(kernel_->choice.within(kernel_->options.completion_delay),
                        shared_from_this(), 0);
}

void lane::fire(std::uint32_t, std::uint64_t) {
    // Each event brings the oldest answer, whichever it was planned for: lanes keep their order.
    answer oldest = std::move(due_.front());
    due_.pop_front();
    if (oldest.to->given_up) return;
    sim_driver& driver = *oldest.to->via;
    driver.post(std::move(oldest));
}

}  // namespace upcall::sim
