#include <upcall/op/context.hpp>

#include <upcall/base/fatal.hpp>

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
    owner->ready().push(*this);
}

context::~context() {
    if (!operations_.empty() || !children_.empty()) [[unlikely]]
        fatal("the context of task \"%s\" ended before what was started in it", name());
    detach();
}

void context::attach(context& parent) noexcept {
    parent_ = &parent;
    loop_ = parent.loop_;
    ready_ = parent.ready_;
    cause_ = parent.cause_;
    stopping_ = parent.stopping_;
    background_ = parent.background_;
    parent.children_.push_back(*this);
}

void context::detach() noexcept {
    if (linked()) unlink();
    parent_ = nullptr;
}

void context::cancel(cancel_cause why) noexcept {
    if (cause_ != cancel_cause::none) return;
    cause_ = why;
    // Cancelling an operation only asks, or queues it as ready: the lists keep their members.
    operations_.for_each([why](operation& op) { op.request_cancel(why); });
    children_.for_each([why](context& child) {
        if (child.on_cancel)
            child.on_cancel(child, why);
        else
            child.cancel(why);
    });
}

void context::stop() noexcept {
    if (stopping_) return;
    stopping_ = true;
    operations_.for_each([](operation& op) {
        if (op.ends_on_stop) op.request_cancel(cancel_cause::cancelled);
    });
    children_.for_each([](context& child) { child.stop(); });
}

const char* context::name() const noexcept {
    for (const context* at = this; at; at = at->parent_)
        if (at->name_) return at->name_;
    return "main";
}

}  // namespace upcall
