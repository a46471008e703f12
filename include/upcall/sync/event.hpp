// Events: something happened, and tasks of the same loop wait for it.
//
//     event configured;
//     … co_await configured.wait();          // in one task
//     … configured.set();                    // in another, or in a call posted to the loop
//
// Stopping a task does not end its wait for an event, cancelling does.
//
// For one loop: the one on which somebody waits first. To tell another loop something, use a
// loop_channel.
#pragma once

#include <upcall/sync/detail/line.hpp>

namespace upcall {

namespace detail {

class event_base {
  public:
    bool is_set() const noexcept { return set_; }
    /// Forgets that it was set.
    void reset() noexcept { set_ = false; }

  protected:
    explicit event_base(bool set, bool automatic) noexcept : set_(set), automatic_(automatic) {}

  private:
    friend class event_wait;

    bool set_;
    bool automatic_;

  protected:
    void set_all() noexcept {
        set_ = true;
        while (!waiting_.empty()) waiting_.let_go();
    }
    void set_one() noexcept {
        set_ = waiting_.empty();
        if (!set_) waiting_.let_go();
    }

    line waiting_{"event", waits_for::event};
};

class event_wait : public line_waiter {
  public:
    struct arguments {
        event_base* on;
    };
    explicit event_wait(arguments&& given) noexcept : on_(given.on) {}

    bool launch(context& where) noexcept {
        if (!on_->waiting_.admits(*this, where)) return true;
        if (!on_->set_) {
            on_->waiting_.enter(*this, where);
            return false;
        }
        if (on_->automatic_) on_->set_ = false;
        return true;
    }
    result<void> take() const noexcept {
        if (why_) return failure(why_);
        return {};
    }

  private:
    event_base* on_;
};

}  // namespace detail

/// Once set it lets everybody through until it is reset.
class event : public detail::event_base {
  public:
    explicit event(bool set = false) noexcept : event_base(set, false) {}

    /// Lets all go that wait, and all that come. They run later, from the loop.
    void set() noexcept { set_all(); }

    /// Completes when the event is set, at once if it is. Who was let go stays let go, even if the
    /// event is reset before it runs. Errors: cancellation; wrong_loop.
    request<detail::event_wait> wait() { return request<detail::event_wait>({this}); }
};

/// Each `set` lets one through: the one that has waited longest, or else the next to come. Several
/// sets while nobody waits count as one.
class auto_event : public detail::event_base {
  public:
    explicit auto_event(bool set = false) noexcept : event_base(set, true) {}

    /// Lets one through. It runs later, from the loop.
    void set() noexcept { set_one(); }

    /// As event::wait. A wait that was cancelled has used up no `set`.
    request<detail::event_wait> wait() { return request<detail::event_wait>({this}); }
};

}  // namespace upcall
