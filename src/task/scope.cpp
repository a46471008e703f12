#include <upcall/task/scope.hpp>

#include <upcall/base/fatal.hpp>

#include "base/planted.hpp"

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
        self.own.home().resume(self.frame, self.own);
    };
}

void drop_child(child& gone) noexcept {
    if (--gone.handles > 0) return;
    if (gone.delivered) {
        delete &gone;
        return;
    }
    scope& from = *gone.parent;
    --from.handles_;
    if (gone.over) from.release(gone);
}

/// Its outcome was handed over: nothing but the record is left, for a child_task that outlives it.
void forget_child(child& gone) noexcept {
    --gone.parent->handles_;
    gone.parent = nullptr;
    gone.promise = nullptr;
    std::exchange(gone.frame, {}).destroy();
}

join_child_base::~join_child_base() {
    if (of_.get() && of_.get()->delivered) forget_child(*of_.get());
}

bool join_child_base::launch(context& where) noexcept {
    child& of = *of_.get();
    if (of.over) return true;
    begin(where);
    awaits = waits_for::child;
    cancel = [](operation& op) noexcept {
        auto& self = static_cast<join_child_base&>(op);
        self.of_.get()->own.cancel(self.cause);
    };
    of.joining = this;
    renew_cancel();
    return false;
}

bool spawn_operation::launch(context& where) noexcept {
    scope& in = *given_.in;
    if (&where.home() != &in.own_.home()) {
        why_ = errc::wrong_loop;
        return true;
    }
    if (!in.full()) {
        start();
        return true;
    }
    if (const cancel_cause refused = where.refuses(ends_on_stop); refused != cancel_cause::none) {
        why_ = errc_of(refused);
        return true;
    }
    begin(where);
    awaits = waits_for::room;
    cancel = [](operation& op) noexcept {
        auto& self = static_cast<spawn_operation&>(op);
        self.why_ = errc_of(self.cause);
        self.given_.in->waiting_.remove(self);
        self.complete();
    };
    in.waiting_.push(*this);
    return false;
}

void spawn_operation::start() noexcept {
    try {
        given_.in->start(std::move(given_.what), given_.name, given_.in_class, given_.where);
    } catch (const std::bad_alloc&) {
        why_ = std::make_error_code(std::errc::not_enough_memory);
    }
}

bool join_operation::launch(context& where) noexcept {
    if (in_->children_ == 0) return true;
    begin(where);
    awaits = waits_for::scope;
    cancel = [](operation&) noexcept {};  // it waits for children, and those were asked
    in_->joining_.push(*this);
    return false;
}

}  // namespace detail

scope::scope(context& parent, scope_options options) noexcept : own_(parent), options_(options) {
    if (options.in_class) own_.set_class(*options.in_class);
}

scope::~scope() {
    if (children_ != 0)
        fatal("a scope in task \"%s\" was destroyed with %zu tasks running", own_.name(),
              children_);
    if (handles_ != 0)
        fatal("a scope in task \"%s\" was destroyed before %zu of its child_task handles",
              own_.name(), handles_);
    if (!remote_) return;
    remote_->forget();
    remote_->drop();
}

remote_scope scope::remote() {
    if (!remote_) remote_ = new detail::remote_state(*this);
    return remote_scope(*remote_, own_.home().remote());
}

void scope::adopt(detail::child& made, const char* name, task_class* in,
                  const std::source_location& where) noexcept {
    if (in) made.own.set_class(*in);
    made.own.set_name(name, where);
    made.own.mark_task();
    made.promise->start_for(made.own, made);
    ++children_;
    made.own.in_class().push(made);
}

void scope::ended(detail::child& gone) noexcept {
    gone.over = true;
    if (gone.joining) std::exchange(gone.joining, nullptr)->complete();
    if (gone.handles > 0)
        gone.own.detach();
    else
        release(gone);
    one_has_left();
}

void scope::one_has_left() noexcept {
    --children_;
    if (!UPCALL_PLANTED("a scope with a limit admits nobody")) admit();
    if (children_ > 0) return;
    while (detail::join_operation* waiting = joining_.pop()) waiting->complete();
}

/// The end of a child that has ended and that nobody refers to.
void scope::release(detail::child& gone) noexcept {
    std::exception_ptr why = gone.promise->exception();
    const char* name = gone.own.name();
    gone.frame.destroy();
    delete &gone;
    if (UPCALL_PLANTED("a scope forgets an exception")) return;
    if (why) failed(name, std::move(why));
}

void scope::failed(const char* name, std::exception_ptr why) noexcept {
    if (options_.policy == on_failure::cancel_others) return fail(name, std::move(why));
    if (options_.failed) options_.failed(name, why);
}

void scope::fail(const char* name, std::exception_ptr why) noexcept {
    if (exception_) {
        if (options_.failed) options_.failed(name, why);
        return;
    }
    exception_ = std::move(why);
    own_.home().note_failure(name, exception_);
    if (!UPCALL_PLANTED("a scope that failed does not cancel the others")) own_.cancel();
}

void scope::admit() noexcept {
    while (!full()) {
        detail::spawn_operation* next = waiting_.pop();
        if (!next) return;
        next->start();
        next->complete();
    }
}

}  // namespace upcall
