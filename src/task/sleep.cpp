#include <upcall/task/sleep.hpp>

namespace upcall::detail {

bool sleep_operation::launch(context& where) noexcept {
    why_ = where.refuses(ends_on_stop);
    if (why_ != cancel_cause::none) return true;
    loop& home = where.home();
    begin(where);
    cancel = [](operation& op) noexcept {
        auto& self = static_cast<sleep_operation&>(op);
        self.why_ = self.cause;
        self.owner->home().timers().remove(self);
        self.complete();
    };
    fire = [](timer_node& timer) noexcept { static_cast<sleep_operation&>(timer).complete(); };
    home.timers().add(*this, given_.relative ? saturating_add(home.read_clock(), given_.length)
                                             : given_.deadline);
    return false;
}

bool yield_operation::launch(context& where) noexcept {
    begin(where);
    cancel = [](operation&) noexcept {};
    complete();
    return false;
}

}  // namespace upcall::detail
