// An operation that a scope owns, and not the frame of a task: what `start` and `submit` begin.
#pragma once

#include <optional>
#include <source_location>
#include <utility>

#include <upcall/task/detail/task_operation.hpp>
#include <upcall/task/scope.hpp>

namespace upcall::detail {

/// What is begun is named for reports, and told where.
struct begun_by {
    const char* name;
    std::source_location where;
};

/// A place among a scope's children: the scope does not end before it was left. The scope's thread.
class scope_member {
  public:
    scope_member(const scope_member&) = delete;
    scope_member& operator=(const scope_member&) = delete;

  protected:
    /// Fatal on another thread than the scope's loop.
    scope_member(scope& in, const char* what, const begun_by& by) noexcept;
    ~scope_member() = default;

    void enter() noexcept { ++in_->children_; }
    /// The last that is done for the scope, which may be gone afterwards.
    static void leave(scope& in) noexcept { in.one_has_left(); }
    /// As a child that ended with an exception.
    void fail(std::exception_ptr why) noexcept;

    scope& in() const noexcept { return *in_; }
    const begun_by& by() const noexcept { return by_; }

  private:
    scope* in_;
    begun_by by_;
};

/// Lives in a `Record`, whose `settled()` is called from the loop when the operation has ended.
template <class Op, class Record>
class begun_operation final : public Op {
  public:
    begun_operation(typename Op::arguments&& given, Record& record)
        : Op(std::move(given)), record_(record) {}

    void begin_in(context& where, const begun_by& by) noexcept {
        if constexpr (requires(Op& op) { op.set_name(by.name, by.where); })
            this->set_name(by.name, by.where);
        this->run = [](ready_node& node) noexcept {
            auto& self = static_cast<begun_operation&>(node);
            if (!self.settle()) return self.renew_asked();
            self.retire();
            self.record_.settled();
        };
        if (!this->launch(where)) return;
        // Done at once. Its completion runs from the loop all the same.
        this->run = [](ready_node& node) noexcept {
            auto& self = static_cast<begun_operation&>(node);
            self.retire();
            self.record_.settled();
        };
        this->begin(where);
        this->complete();
    }

    void ask_cancel() noexcept {
        asked_ = true;
        this->request_cancel(cancel_cause::cancelled);
    }

  private:
    void renew_asked() noexcept {
        this->renew_cancel();
        if (asked_) this->request_cancel(cancel_cause::cancelled);
    }

    Record& record_;
    bool asked_ = false;
};

}  // namespace upcall::detail
