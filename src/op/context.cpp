#include <upcall/op/context.hpp>

#include <upcall/base/fatal.hpp>

#include "base/planted.hpp"

namespace upcall {

operation::~operation() {
    if (state != op_state::idle) [[unlikely]] {
        fatal("task \"%s\" destroyed an operation in flight: await it, or spawn it in a scope",
              owner ? owner->name() : "?");
    }
}

void operation::begin(context& context) noexcept {
    begin_unlinked(context);
    context.operations().push_back(*this);
}

void operation::begin_unlinked(context& context) noexcept {
    UPCALL_ASSERT(state == op_state::idle);
    owner = &context;
    state = op_state::in_flight;
    cause = cancel_cause::none;
}

void operation::complete() noexcept {
    UPCALL_ASSERT(state == op_state::in_flight);
    state = op_state::ready;
    owner->in_class().push(*this);
}

void operation::renew_cancel() noexcept {
    const cancel_cause why = owner->refuses(ends_on_stop);
    if (why != cancel_cause::none) request_cancel(why);
}

context::~context() {
    if (!operations_.empty() || !children_.empty()) [[unlikely]]
        fatal("the context of task \"%s\" ended before what was started in it", name());
    detach();
}

void context::attach(context& parent) noexcept {
    parent_ = &parent;
    loop_ = parent.loop_;
    class_ = parent.class_;
    if (!UPCALL_PLANTED("children do not inherit a cancellation")) cause_ = parent.cause_;
    stopping_ = parent.stopping_;
    unconstrained_ = parent.unconstrained_;
    if (!UPCALL_PLANTED("children do not inherit a deadline")) deadline_ = parent.deadline_;
    parent.children_.push_back(*this);
}

void context::detach() noexcept {
    if (!parent_) return;  // a root, or done before: the class may be gone
    if (class_->of().running() == this) class_->of().set_running(parent_);
    if (class_set_) {
        class_set_ = false;
        class_->leave();
    }
    if (linked()) unlink();
    parent_ = nullptr;
}

// Who chose the class is counted, not who inherited it: those end before.
void context::set_class(task_class& chosen) noexcept {
    if (&chosen.of() != &ready()) [[unlikely]]
        fatal("task \"%s\" was put into the task class \"%s\" of another loop", name(),
              chosen.name());
    if (class_set_) class_->leave();
    class_ = &chosen;
    class_set_ = true;
    chosen.enter();
}

// The tree may be as deep as a program's recursion, so it is walked without any: to the first
// child, else to the next sibling of the nearest ancestor that has one.
context* context::next_below(context& top, bool descend) noexcept {
    if (descend && !children_.empty()) return &children_.front();
    for (context* at = this; at != &top; at = at->parent_)
        if (context* sibling = at->parent_->children_.after(*at)) return sibling;
    return nullptr;
}

/// Returns whether to go on below: not where it was raised before, nor behind a shield.
bool context::raise_cancel(context& top, cancel_cause why) noexcept {
    if (this != &top && on_cancel) {
        on_cancel(*this, why);
        return false;
    }
    if (cause_ != cancel_cause::none) return false;
    cause_ = why;
    // Cancelling an operation only asks, or queues it as ready: the list keeps its members.
    operations_.for_each([why](operation& op) { op.request_cancel(why); });
    return true;
}

void context::cancel(cancel_cause why) noexcept {
    for (context* at = this; at;) at = at->next_below(*this, at->raise_cancel(*this, why));
}

void context::stop() noexcept {
    for (context* at = this; at;) {
        const bool first = !at->stopping_;
        at->stopping_ = true;
        if (first)
            at->operations_.for_each([](operation& op) {
                if (op.ends_on_stop) op.request_cancel(cancel_cause::cancelled);
            });
        at = at->next_below(*this, first);
    }
}

bool context::busy() noexcept {
    for (context* at = this; at; at = at->next_below(*this, true))
        if (at->task_ || !at->operations_.empty()) return true;
    return false;
}

const char* context::name() const noexcept {
    for (const context* at = this; at; at = at->parent_)
        if (at->name_) return at->name_;
    return "main";
}

}  // namespace upcall
