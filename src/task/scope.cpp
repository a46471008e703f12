#include <upcall/task/scope.hpp>

#include <upcall/base/fatal.hpp>

namespace upcall {

namespace detail {

child::child(scope& in, std::coroutine_handle<> started, promise_base& of) noexcept
    : own(in.own_), parent(&in), frame(started), promise(&of) {
    ended = [](task_owner& owner) noexcept {
        auto& self = static_cast<child&>(owner);
        self.parent->ended(self);
    };
    run = [](ready_node& node) noexcept {
        auto& self = static_cast<child&>(node);
        self.own.home().resume(self.frame);
    };
}

bool spawn_operation::launch(context& where) noexcept {
    scope& in = *given_.in;
    if (!in.full()) {
        in.start(std::move(given_.what), given_.name, given_.where);
        return true;
    }
    if (const cancel_cause refused = where.refuses(ends_on_stop); refused != cancel_cause::none) {
        why_ = errc_of(refused);
        return true;
    }
    begin(where);
    cancel = [](operation& op) noexcept {
        auto& self = static_cast<spawn_operation&>(op);
        self.why_ = errc_of(self.cause);
        self.given_.in->waiting_.remove(self);
        self.complete();
    };
    in.waiting_.push(*this);
    return false;
}

bool join_operation::launch(context& where) noexcept {
    if (in_->children_ == 0) return true;
    UPCALL_ASSERT(!in_->joining_);
    in_->joining_ = this;
    begin(where);
    cancel = [](operation&) noexcept {};  // it waits for children, and those were asked
    return false;
}

}  // namespace detail

scope::scope(context& parent, scope_options options) noexcept : own_(parent), options_(options) {}

scope::~scope() {
    if (children_ != 0)
        fatal("a scope in task \"%s\" was destroyed with %zu tasks running", own_.name(),
              children_);
}

void scope::spawn_now(task<> what, const char* name, std::source_location where) {
    start(std::move(what), name, where);
}

void scope::start(task<> what, const char* name, const std::source_location& where) {
    auto frame = what.frame();
    UPCALL_ASSERT(frame);
    auto* made = new detail::child(*this, frame, frame.promise());
    what.release();
    made->own.set_name(name, where);
    frame.promise().start_for(made->own, *made);
    ++children_;
    own_.home().task_started(own_);
    own_.ready().push(*made);
}

void scope::ended(detail::child& gone) noexcept {
    std::exception_ptr why = gone.promise->exception();
    if (why && options_.policy == on_failure::supervise) {
        if (options_.failed) options_.failed(gone.own.name(), why);
        why = nullptr;
    }
    gone.frame.destroy();
    delete &gone;
    --children_;
    own_.home().task_ended(own_);
    if (why) fail(std::move(why));
    admit();
    if (children_ == 0 && joining_) std::exchange(joining_, nullptr)->complete();
}

void scope::admit() noexcept {
    while (!full()) {
        detail::spawn_operation* next = waiting_.pop();
        if (!next) return;
        start(std::move(next->given_.what), next->given_.name, next->given_.where);
        next->complete();
    }
}

void scope::fail(std::exception_ptr why) noexcept {
    if (!exception_) exception_ = std::move(why);
    own_.cancel();
}

}  // namespace upcall
