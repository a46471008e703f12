#include <upcall/task/future.hpp>

#include <condition_variable>
#include <cstdio>
#include <mutex>

namespace upcall::detail {

constinit future_waiter future_core::marks_[2];

namespace {

/// On the stack of a thread that waits.
class blocked_thread final : public future_waiter {
  public:
    blocked_thread() noexcept {
        told = [](future_waiter& waiter) noexcept {
            auto& self = static_cast<blocked_thread&>(waiter);
            // Notified under the lock: once it is free, this may be gone.
            const std::lock_guard held(self.mutex_);
            self.over_ = true;
            self.told_.notify_one();
        };
    }
    void wait() {
        std::unique_lock held(mutex_);
        told_.wait(held, [this] { return over_; });
    }

  private:
    std::mutex mutex_;
    std::condition_variable told_;
    bool over_ = false;
};

}  // namespace

future_core::future_core(scope& in, const begun_by& by) noexcept
    : scope_member(in, "submit", by),
      thread_(std::this_thread::get_id()),
      box_(in.where().home().remote()) {
    run = [](ready_node& node) noexcept {
        auto& self = static_cast<future_core&>(node);
        // Taken before it is acted upon: a wish that comes from here on posts the node again.
        const std::uint8_t wishes = self.wishes_.exchange(0, std::memory_order_acq_rel);
        if ((wishes & to_cancel) && !self.ready()) self.cancel_operation();
        if (wishes & to_destroy) self.drop_reference();
        self.drop_reference();
    };
}

bool future_core::wait_by(future_waiter& waiter) noexcept {
    future_waiter* nobody = nullptr;
    return state_.compare_exchange_strong(nobody, &waiter, std::memory_order_acq_rel);
}

void future_core::deliver() noexcept {
    scope& from = in();
    future_waiter* holder = state_.exchange(delivered(), std::memory_order_acq_rel);
    if (holder == dropped()) {
        if (std::exception_ptr why = untaken()) fail(std::move(why));
        discard();  // here, on the loop: the last reference may be the holder's
    } else if (holder) {
        holder->told(*holder);
    }
    drop_reference();
    leave(from);
}

/// Sends the core to its loop, unless it is on its way there for something else, which then takes
/// `what` along. False: the loop is gone.
bool future_core::send(wish what) noexcept {
    if (wishes_.fetch_or(what, std::memory_order_acq_rel) != 0) return true;
    references_.fetch_add(1, std::memory_order_relaxed);
    if (box_->post(*this)) return true;
    wishes_.store(0, std::memory_order_relaxed);
    drop_reference();
    return false;
}

void future_core::ask_cancel() noexcept {
    if (ready()) return;
    if (on_home_thread())
        cancel_operation();
    else
        send(to_cancel);  // a loop that is gone has delivered
}

void future_core::let_go(bool emptied) noexcept {
    future_waiter* nobody = nullptr;
    const bool early = state_.compare_exchange_strong(nobody, dropped(), std::memory_order_acq_rel);
    if (early) stay();
    // What an outcome is made of may belong to the loop.
    if (early || emptied || on_home_thread() || !send(to_destroy)) drop_reference();
}

std::error_code future_core::block(const std::source_location& waiting) noexcept {
    if (ready()) return {};
    if (loop::current() || on_home_thread()) {
        refuse(waiting);
        return errc::would_deadlock;
    }
    stay();  // for what follows is to take the outcome
    blocked_thread here;
    if (wait_by(here)) here.wait();
    return {};
}

void future_core::refuse(const std::source_location& waiting) const noexcept {
    const begun_by& begun = by();
    std::fprintf(stderr, "upcall: get() refused: %s (%s:%u) would wait for \"%s\" (%s:%u)",
                 waiting.function_name(), waiting.file_name(), waiting.line(),
                 begun.name ? begun.name : "an operation", begun.where.file_name(),
                 begun.where.line());
    if (!on_home_thread())
        std::fprintf(stderr, " of another loop, and block the loop of this thread");
    else
        std::fprintf(stderr, " of task \"%s\", which the loop of this thread has to complete%s",
                     in().where().name(), loop::current() ? "" : " but does not run");
    const std::error_code why = errc::would_deadlock;
    std::fprintf(stderr, "; %s: %s (%s %d)\n",
                 loop::current() ? "co_await it, or use `then`" : "run the loop first",
                 why.message().c_str(), why.category().name(), why.value());
}

bool future_wait::launch_on(future_core& on, context& where) noexcept {
    const bool at_home = on.belongs_to(where.home());
    if (at_home) on.stay();
    if (on.ready()) return true;
    begin(where);
    on_ = &on;
    cancel = [](operation& op) noexcept { static_cast<future_wait&>(op).on_->ask_cancel(); };
    if (at_home) {
        awaits = waits_for::future;
        told = [](future_waiter& waiter) noexcept { static_cast<future_wait&>(waiter).complete(); };
    } else {
        home_ = where.home().remote();
        arrival_.of = this;
        arrival_.run = [](ready_node& node) noexcept {
            future_wait& self = *static_cast<arrival&>(node).of;
            self.home_.reset();
            self.complete();
        };
        told = [](future_waiter& waiter) noexcept {
            auto& self = static_cast<future_wait&>(waiter);
            const std::shared_ptr<mailbox> box =
                self.home_;  // this may be gone before post returns
            box->post(self.arrival_);
        };
    }
    if (!on.wait_by(*this)) {
        retire();
        return true;
    }
    renew_cancel();
    return false;
}

}  // namespace upcall::detail
