#include <upcall/task/from_callback.hpp>

#include <upcall/base/fatal.hpp>

namespace upcall::detail {

bool foreign_operation::open(context& where) noexcept {
    if (const cancel_cause why = where.refuses(ends_on_stop); why != cancel_cause::none) {
        refused_ = errc_of(why);
        return false;
    }
    home_ = where.home().remote();
    arrival_.of = this;
    arrival_.run = [](ready_node& node) noexcept {
        foreign_operation& self = *static_cast<arrival&>(node).of;
        self.home_.reset();
        self.complete();
    };
    begin(where);
    return true;
}

// The loop is there: it does not end before its operations have.
void foreign_operation::arrive() noexcept {
    const std::shared_ptr<mailbox> box = home_;  // this may be gone before post returns
    box->post(arrival_);
}

void completed_twice() noexcept {
    fatal("a completion was completed twice, or after it was moved from");
}

}  // namespace upcall::detail
