#include <upcall/task/remote_scope.hpp>

#include <upcall/task/scope.hpp>

namespace upcall::detail {

remote_state::remote_state(scope& target) noexcept : target_(&target) {
    run = [](ready_node& node) noexcept {
        auto& self = static_cast<remote_state&>(node);
        // Taken before it is acted upon: a wish that comes from here on posts the node again.
        const std::uint8_t wishes = self.wishes_.exchange(0, std::memory_order_acq_rel);
        if (self.target_ && (wishes & to_stop)) self.target_->stop();
        if (self.target_ && (wishes & to_cancel)) self.target_->cancel();
        self.drop();
    };
}

void remote_state::ask(wish what, mailbox& box) noexcept {
    if (wishes_.fetch_or(what, std::memory_order_acq_rel) != 0) return;  // it is under way
    hold();
    if (!box.post(*this)) drop();
}

}  // namespace upcall::detail
