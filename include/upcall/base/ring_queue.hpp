// A queue of bounded length in one block of memory.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include <upcall/base/fatal.hpp>

namespace upcall {

/// First in, first out; owns what is in it. For one thread at a time.
template <class T>
class ring_queue {
    static_assert(std::is_nothrow_move_constructible_v<T>, "moving must not fail half way");

  public:
    /// Room for `capacity` values, all of it at once. Throws std::bad_alloc.
    explicit ring_queue(std::size_t capacity)
        : slots_(std::make_unique<slot[]>(capacity)), capacity_(capacity) {}
    ring_queue(const ring_queue&) = delete;
    ring_queue& operator=(const ring_queue&) = delete;
    ~ring_queue() {
        while (!empty()) static_cast<void>(pop());
    }

    bool empty() const noexcept { return size_ == 0; }
    bool full() const noexcept { return size_ == capacity_; }
    std::size_t size() const noexcept { return size_; }
    std::size_t capacity() const noexcept { return capacity_; }

    /// Only when it is not full.
    void push(T&& value) noexcept {
        UPCALL_ASSERT(!full());
        std::size_t at = first_ + size_;
        if (at >= capacity_) at -= capacity_;
        new (slots_[at].bytes) T(std::move(value));
        ++size_;
    }

    /// Only when it is not empty.
    T pop() noexcept {
        UPCALL_ASSERT(!empty());
        T* held = std::launder(reinterpret_cast<T*>(slots_[first_].bytes));
        T value(std::move(*held));
        held->~T();
        if (++first_ == capacity_) first_ = 0;
        --size_;
        return value;
    }

  private:
    struct slot {
        alignas(T) std::byte bytes[sizeof(T)];
    };

    std::unique_ptr<slot[]> slots_;
    std::size_t capacity_;
    std::size_t first_ = 0;
    std::size_t size_ = 0;
};

}  // namespace upcall
