// A semaphore for tasks of one loop: at most so many at a time.
//
//     semaphore uploads(8);
//     auto place = co_await uploads.acquire();
//
// Stopping a task does not end its wait for a semaphore, cancelling does.
//
// For one loop: the one on which it is acquired first.
#pragma once

#include <cstddef>
#include <utility>

#include <upcall/sync/detail/line.hpp>

namespace upcall {

class semaphore;

namespace detail {
class semaphore_acquire;
}

/// Holds what was acquired, and releases it when destroyed.
class [[nodiscard("dropped at once it is released at once")]] permit {
  public:
    permit() = default;
    permit(permit&& other) noexcept
        : from_(std::exchange(other.from_, nullptr)), count_(std::exchange(other.count_, 0)) {}
    permit& operator=(permit&& other) noexcept {
        if (this != &other) {
            release();
            from_ = std::exchange(other.from_, nullptr);
            count_ = std::exchange(other.count_, 0);
        }
        return *this;
    }
    ~permit() { release(); }

    /// Gives it back now.
    void release() noexcept;
    /// Keeps it taken; `semaphore::release` gives it back some day.
    void forget() noexcept { from_ = nullptr; }

    /// How many it holds.
    std::size_t count() const noexcept { return from_ ? count_ : 0; }
    explicit operator bool() const noexcept { return from_ != nullptr; }

  private:
    friend class semaphore;
    friend class detail::semaphore_acquire;
    permit(semaphore& from, std::size_t count) noexcept : from_(&from), count_(count) {}

    semaphore* from_ = nullptr;
    std::size_t count_ = 0;
};

namespace detail {

class semaphore_acquire : public line_waiter {
  public:
    struct arguments {
        semaphore* from;
        std::size_t count;
    };
    explicit semaphore_acquire(arguments&& given) noexcept
        : from_(given.from), count_(given.count) {}
    bool launch(context& where) noexcept;
    result<permit> take() noexcept {
        if (why_) return failure(why_);
        return permit(*from_, count_);
    }

  private:
    friend class upcall::semaphore;
    semaphore* from_;
    std::size_t count_;
};

}  // namespace detail

/// For the tasks of one loop; pinned, and must outlive who waits for it and its permits.
class semaphore {
  public:
    /// With so many to be had at first.
    explicit semaphore(std::size_t available) noexcept : available_(available) {}

    /// Takes `count`, waiting until there are as many. First come, first served: who needs many is
    /// not overtaken by those who need few. Errors: cancellation, and then nothing was taken;
    /// wrong_loop.
    request<detail::semaphore_acquire> acquire(std::size_t count = 1) {
        return request<detail::semaphore_acquire>({this, count});
    }

    /// Takes `count` if there are as many and nobody waits; an empty permit otherwise.
    permit try_acquire(std::size_t count = 1) noexcept {
        if (!takes(count)) return {};
        return {*this, count};
    }

    /// Adds `count`, whether or not they had been acquired.
    void release(std::size_t count = 1) noexcept {
        available_ += count;
        serve();
    }

    /// How many could be had at once, were nobody waiting.
    std::size_t available() const noexcept { return available_; }

  private:
    friend class detail::semaphore_acquire;

    bool takes(std::size_t count) noexcept {
        if (!waiting_.empty() || count > available_) return false;
        available_ -= count;
        return true;
    }
    void serve() noexcept {
        while (!waiting_.empty()) {
            auto& first = static_cast<detail::semaphore_acquire&>(waiting_.front());
            if (first.count_ > available_) return;
            available_ -= first.count_;
            waiting_.let_go();
        }
    }

    std::size_t available_;
    detail::line waiting_{"semaphore", waits_for::semaphore};
};

inline void permit::release() noexcept {
    if (from_) std::exchange(from_, nullptr)->release(count_);
}

inline bool detail::semaphore_acquire::launch(context& where) noexcept {
    if (!from_->waiting_.admits(*this, where)) return true;
    if (from_->takes(count_)) return true;
    // Those behind somebody who gives up may need less.
    left_ = [](line_waiter& self) noexcept {
        static_cast<semaphore_acquire&>(self).from_->serve();
    };
    from_->waiting_.enter(*this, where);
    return false;
}

}  // namespace upcall
