// The line of those who wait on something of one loop: first in, first out, in their own memory.
#pragma once

#include <cstddef>

#include <upcall/base/fatal.hpp>
#include <upcall/task/request.hpp>

namespace upcall::detail {

class line;

/// An operation that may wait in a line. Cancelling takes it out again, without any effect.
class line_waiter : public operation_base, public list_hook<line> {
  protected:
    friend class line;

    /// Why it ended without what it waited for; empty if it got that.
    std::error_code why_;
    /// Called when a cancellation took it out of the line; may be null.
    void (*left_)(line_waiter&) noexcept = nullptr;
};

class line {
  public:
    /// Of those who wait for something of a `named`.
    line(const char* named, waits_for awaits) noexcept : named_(named), awaits_(awaits) {}
    line(const line&) = delete;
    line& operator=(const line&) = delete;
    /// Fatal while somebody waits.
    ~line() {
        if (!waiting_.empty())
            fatal("a %s was destroyed while task \"%s\" waited on it", named_,
                  waiting_.front().owner->name());
    }

    /// Whether `waiter` may use what belongs to this line; else it has its error.
    bool admits(line_waiter& waiter, context& where) noexcept {
        if (!home_) home_ = &where.home();
        const cancel_cause refused = where.refuses(waiter.ends_on_stop);
        if (refused != cancel_cause::none)
            waiter.why_ = errc_of(refused);
        else if (home_ != &where.home())
            waiter.why_ = errc::wrong_loop;
        else
            return true;
        return false;
    }

    /// Has `waiter` wait at the end of the line.
    void enter(line_waiter& waiter, context& where) noexcept {
        waiter.begin(where);
        waiter.awaits = awaits_;
        waiter.cancel = [](operation& op) noexcept {
            auto& self = static_cast<line_waiter&>(op);
            self.list_hook<line>::unlink();
            self.why_ = errc_of(self.cause);
            self.complete();
            if (self.left_) self.left_(self);
        };
        waiting_.push_back(waiter);
    }

    bool empty() const noexcept { return waiting_.empty(); }
    line_waiter& front() noexcept { return waiting_.front(); }

    /// Ends the wait of the first, who has what it waited for, or `why` not.
    void let_go(std::error_code why = {}) noexcept {
        line_waiter& first = *waiting_.pop_front();
        first.why_ = why;
        first.complete();
    }

  private:
    list<line_waiter, line> waiting_;
    loop* home_ = nullptr;
    const char* named_;
    waits_for awaits_;
};

}  // namespace upcall::detail
