#include <upcall/task/shield.hpp>

#include "base/planted.hpp"

namespace upcall::detail {

void shield_context::attach(context& parent) noexcept {
    context::attach(parent);
    on_cancel = [](context& self, cancel_cause why) noexcept {
        static_cast<shield_context&>(self).cancel(why);
    };
    replace_deadline(saturating_add(parent.deadline(), grace_));
    const cancel_cause before = cancelled();
    if (before == cancel_cause::none) return;
    forget_inherited();
    cancel(before);
}

void shield_context::cancel(cancel_cause why) noexcept {
    if (UPCALL_PLANTED("a shield gives no time")) return context::cancel(why);
    if (why_ != cancel_cause::none) return;
    why_ = why;
    loop& on = home();
    on.timers().add(*this, saturating_add(on.read_clock(), grace_));
}

void shield_context::detach() noexcept {
    if (armed()) home().timers().remove(*this);
    context::detach();
}

}  // namespace upcall::detail
