// A mutex for tasks of one loop: for what must stay consistent across a `co_await`. Between two
// awaits tasks of a loop do not interrupt each other anyway, and need none.
//
//     auto held = co_await file_mutex.lock();
//     if (!held) co_return failure(held.error());
//
// Stopping a task does not end its wait for a mutex, cancelling does.
//
// For one loop: the one on which it is locked first. It does not lock out other threads.
#pragma once

#include <utility>

#include <upcall/sync/detail/line.hpp>

namespace upcall {

class mutex;

namespace detail {
class mutex_lock;
}

/// Holds a mutex, and unlocks it when destroyed.
class [[nodiscard("dropped at once it unlocks at once")]] mutex_guard {
  public:
    mutex_guard() = default;
    mutex_guard(mutex_guard&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
    mutex_guard& operator=(mutex_guard&& other) noexcept {
        if (this != &other) {
            unlock();
            held_ = std::exchange(other.held_, nullptr);
        }
        return *this;
    }
    ~mutex_guard() { unlock(); }

    /// Unlocks now.
    void unlock() noexcept;
    explicit operator bool() const noexcept { return held_ != nullptr; }

  private:
    friend class mutex;
    friend class detail::mutex_lock;
    explicit mutex_guard(mutex& held) noexcept : held_(&held) {}

    mutex* held_ = nullptr;
};

namespace detail {

class mutex_lock : public line_waiter {
  public:
    struct arguments {
        mutex* what;
    };
    explicit mutex_lock(arguments&& given) noexcept : from_(given.what) {}
    bool launch(context& where) noexcept;
    result<mutex_guard> take() noexcept {
        if (why_) return failure(why_);
        return mutex_guard(*from_);
    }
    /// In what the mutex was locked, as far as that is known.
    const context* holder() const noexcept;

  private:
    mutex* from_;
};

}  // namespace detail

/// For the tasks of one loop; pinned, and must outlive who waits for it and who holds it.
class mutex {
  public:
    mutex() noexcept = default;

    /// Waits for its turn, first come first served, and holds the mutex from then on: `unlock`
    /// hands it to the next in line, and nobody can take it in between. Errors: cancellation, and
    /// then the mutex is not held; wrong_loop.
    request<detail::mutex_lock> lock() { return request<detail::mutex_lock>({this}); }

    /// Locks it if nobody has it; an empty guard otherwise.
    mutex_guard try_lock() noexcept {
        if (locked_) return {};
        locked_ = true;
        holder_ = nullptr;
        return mutex_guard(*this);
    }

    /// Whether somebody holds it.
    bool is_locked() const noexcept { return locked_; }

  private:
    friend class mutex_guard;
    friend class detail::mutex_lock;

    void unlock() noexcept {
        if (waiting_.empty()) {
            locked_ = false;
            return;
        }
        holder_ = waiting_.front().owner;
        waiting_.let_go();
    }

    detail::line waiting_{"mutex", waits_for::mutex};
    /// For reports, and only to compare: the guard may have outlived it.
    const context* holder_ = nullptr;
    bool locked_ = false;
};

inline void mutex_guard::unlock() noexcept {
    if (held_) std::exchange(held_, nullptr)->unlock();
}

inline bool detail::mutex_lock::launch(context& where) noexcept {
    if (!from_->waiting_.admits(*this, where)) return true;
    if (from_->locked_) {
        from_->waiting_.enter(*this, where);
        return false;
    }
    from_->locked_ = true;
    from_->holder_ = &where;
    return true;
}

inline const context* detail::mutex_lock::holder() const noexcept { return from_->holder_; }

}  // namespace upcall
