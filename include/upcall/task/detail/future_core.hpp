// What a future and the operation behind it share, without the type of the value.
//
// Two sides, on any two threads: the loop, which delivers the outcome once, and the one holder of
// the future, who may wait for it once and lets go of it once. One word decides between them:
//
//     nobody ──the holder waits──▶ a waiter ──┐
//       ├──────────────────────────────────── deliver ──▶ delivered   (the waiter is told)
//       └──the holder lets go──▶ dropped ──── deliver ──▶ delivered   (the outcome is destroyed)
//
// Whoever comes second sees what the first has done: a holder that finds `delivered` has the
// outcome, which was stored before. The memory goes with the last reference: the loop's, the
// holder's, and one for each time that the core itself is on its way to the loop.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <source_location>
#include <span>
#include <thread>

#include <upcall/base/result.hpp>
#include <upcall/loop/mailbox.hpp>
#include <upcall/task/detail/begun_operation.hpp>

namespace upcall::detail {

/// Somebody who waits for a future; told on the loop of the operation, once.
struct future_waiter {
    void (*told)(future_waiter&) noexcept = nullptr;
};

class future_core : protected scope_member, private ready_node, public recycled {
  public:
    virtual ~future_core() = default;

    // ---- the holder: any thread -------------------------------------------------------------

    bool ready() const noexcept { return state_.load(std::memory_order_acquire) == delivered(); }

    /// Has `waiter` told. False: it is ready already.
    bool wait_by(future_waiter& waiter) noexcept;

    /// Asks the operation to end; it may have ended.
    void ask_cancel() noexcept;

    /// Not after `stay`.
    bool belongs_to(const loop& home) const noexcept { return box_ == home.remote(); }

    /// The holder will not use it on another thread than its loop's any more, or not before it is
    /// ready: then it is nobody who could end a deadlock of that loop.
    void stay() noexcept { box_.reset(); }

    /// Blocks until it is ready. Where that would block a loop it is refused instead: told on
    /// standard error, with what waits on what.
    std::error_code block(const std::source_location& waiting) noexcept;

    /// The future is gone. `emptied`: the outcome was taken.
    void let_go(bool emptied) noexcept;

    // ---- for reports: the loop, while it is not ready ---------------------------------------

    /// The operation's name, else that of its scope's task.
    const char* name() const noexcept { return by().name ? by().name : in().where().name(); }
    const std::source_location& begun_at() const noexcept { return by().where; }
    /// The memory that the operation and its context are in.
    virtual std::span<const std::byte> place() const noexcept = 0;

  protected:
    future_core(scope& in, const begun_by& by) noexcept;

    /// The outcome is stored. Afterwards the scope, and this, may be gone.
    void deliver() noexcept;

  private:
    enum wish : std::uint8_t { to_cancel = 1, to_destroy = 2 };

    static future_waiter* delivered() noexcept { return &marks_[0]; }
    static future_waiter* dropped() noexcept { return &marks_[1]; }
    static future_waiter marks_[2];

    virtual void cancel_operation() noexcept = 0;
    /// What a future that was dropped would have thrown.
    virtual std::exception_ptr untaken() const noexcept = 0;
    /// Destroys the outcome that nobody will take.
    virtual void discard() noexcept = 0;

    bool on_home_thread() const noexcept { return thread_ == std::this_thread::get_id(); }
    bool send(wish what) noexcept;
    void refuse(const std::source_location& waiting) const noexcept;
    void drop_reference() noexcept {
        if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }

    std::atomic<future_waiter*> state_{nullptr};
    std::atomic<std::uint32_t> references_{2};
    std::atomic<std::uint8_t> wishes_{0};
    const std::thread::id thread_;
    /// The holder's, as long as it may need it: who counts the box's owners counts holders.
    std::shared_ptr<mailbox> box_;
};

/// With the outcome of a `T`.
template <class T>
class future_state : public future_core {
  public:
    /// The outcome, once; throws what the operation threw.
    result<T> take() {
        if (exception_) std::rethrow_exception(exception_);
        return std::move(*outcome_);
    }
    bool failed() const noexcept { return exception_ != nullptr; }

  protected:
    using future_core::future_core;

    std::optional<result<T>> outcome_;
    std::exception_ptr exception_;

  private:
    std::exception_ptr untaken() const noexcept override { return exception_; }
    void discard() noexcept override {
        outcome_.reset();
        exception_ = nullptr;
    }
};

template <class Yielded>
struct future_value {
    using type = Yielded;
};
template <class T>
struct future_value<result<T>> {
    using type = T;
};

/// The T of the future of an operation.
template <class Op>
using future_value_of = typename future_value<decltype(std::declval<Op&>().take())>::type;

/// The operation and the outcome in one block.
template <class Op>
class submitted_operation final : public future_state<future_value_of<Op>> {
    using yielded = decltype(std::declval<Op&>().take());

  public:
    submitted_operation(scope& in, typename Op::arguments&& given, const begun_by& by)
        : future_state<future_value_of<Op>>(in, by) {
        op_.emplace(std::move(given), *this);
    }

    void begin() noexcept {
        this->enter();
        op_->begin_in(this->in().where(), this->by());
    }

    std::span<const std::byte> place() const noexcept override {
        return std::as_bytes(std::span(&op_, 1));
    }

    void settled() noexcept {
        try {
            if constexpr (std::is_void_v<yielded>) {
                op_->take();
                this->outcome_.emplace();
            } else {
                this->outcome_.emplace(op_->take());
            }
        } catch (...) {
            this->exception_ = std::current_exception();
        }
        op_.reset();
        this->deliver();
    }

  private:
    void cancel_operation() noexcept override { op_->ask_cancel(); }

    std::optional<begun_operation<Op, submitted_operation>> op_;
};

}  // namespace upcall::detail
