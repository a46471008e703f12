// A scope's stop and cancel for other threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include <upcall/loop/mailbox.hpp>
#include <upcall/op/ready_queue.hpp>

namespace upcall {

class scope;

namespace detail {

/// Shared by a scope and its remote handles, each of which has the loop's box itself: who counts
/// the box's owners counts handles. Carries itself to the loop, so asking allocates nothing; what
/// is asked for while it is under way goes along.
class remote_state final : ready_node {
  public:
    enum wish : std::uint8_t { to_stop = 1, to_cancel = 2 };

    explicit remote_state(scope& target) noexcept;

    /// Any thread.
    void ask(wish what, mailbox& box) noexcept;
    void hold() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
    void drop() noexcept {
        if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }

    /// The scope has ended. The loop's thread.
    void forget() noexcept { target_ = nullptr; }

  private:
    scope* target_;
    std::atomic<std::uint8_t> wishes_{0};
    std::atomic<std::uint32_t> references_{1};
};

}  // namespace detail

/// From `scope::remote`. Copies may be made, used and destroyed on any thread at any time, also
/// when the scope or its loop is gone: then nothing happens. What is asked for takes effect on the
/// scope's loop, soon.
class remote_scope {
  public:
    remote_scope(detail::remote_state& state, std::shared_ptr<mailbox> box) noexcept
        : state_(&state), box_(std::move(box)) {
        state.hold();
    }
    remote_scope(const remote_scope& other) noexcept : remote_scope(*other.state_, other.box_) {}
    remote_scope& operator=(const remote_scope& other) noexcept {
        remote_scope copy(other);
        std::swap(state_, copy.state_);
        std::swap(box_, copy.box_);
        return *this;
    }
    ~remote_scope() { state_->drop(); }

    /// As scope::stop and scope::cancel. Never block, allocate or fail.
    void stop() const noexcept { state_->ask(detail::remote_state::to_stop, *box_); }
    void cancel() const noexcept { state_->ask(detail::remote_state::to_cancel, *box_); }

  private:
    detail::remote_state* state_;
    std::shared_ptr<mailbox> box_;
};

}  // namespace upcall
