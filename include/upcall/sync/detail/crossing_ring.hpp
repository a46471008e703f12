// A bounded ring that any thread puts values into and one thread takes them out of, without locks.
//
// Each slot carries a number that says whose turn it is: position p may be filled when the slot
// says p, and emptied when it says p + 1 (D. Vyukov's bounded queue).
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace upcall::detail {

template <class T>
class crossing_ring {
    static_assert(std::is_nothrow_move_constructible_v<T>, "moving must not fail half way");

  public:
    /// Room for at least `capacity` values. Throws std::bad_alloc.
    explicit crossing_ring(std::size_t capacity)
        : size_(places_for(capacity)), slots_(std::make_unique<slot[]>(size_)) {
        for (std::size_t i = 0; i < size_; ++i) slots_[i].turn.store(i, std::memory_order_relaxed);
    }
    crossing_ring(const crossing_ring&) = delete;
    crossing_ring& operator=(const crossing_ring&) = delete;
    ~crossing_ring() {
        while (ready()) static_cast<void>(pop());
    }

    /// Any thread. False: it is full, and `value` is left alone.
    bool push(T& value) noexcept {
        std::size_t at = last_.load(std::memory_order_relaxed);
        for (;;) {
            slot& here = slots_[at & (size_ - 1)];
            const std::size_t turn = here.turn.load(std::memory_order_acquire);
            if (turn == at) {
                if (!last_.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) continue;
                new (here.bytes) T(std::move(value));
                // In one order with the looks of both sides at who waits (loop_channel).
                here.turn.store(at + 1, std::memory_order_seq_cst);
                return true;
            }
            if (static_cast<std::ptrdiff_t>(turn - at) < 0) return false;
            at = last_.load(std::memory_order_relaxed);
        }
    }

    /// Whether there is a value to take. The receiver's thread.
    bool ready() const noexcept {
        return slots_[first_ & (size_ - 1)].turn.load(std::memory_order_seq_cst) == first_ + 1;
    }

    /// Only when it is ready.
    T pop() noexcept {
        slot& here = slots_[first_ & (size_ - 1)];
        T& held = *std::launder(reinterpret_cast<T*>(here.bytes));
        T value(std::move(held));
        held.~T();
        here.turn.store(first_ + size_, std::memory_order_release);
        ++first_;
        return value;
    }

    std::size_t capacity() const noexcept { return size_; }

  private:
    /// A power of two. For more than the largest that an array can have there is no memory.
    static std::size_t places_for(std::size_t capacity) {
        constexpr std::size_t most = std::bit_floor(~std::size_t{0} / 2 / sizeof(slot));
        if (capacity > most) throw std::bad_alloc();
        return std::bit_ceil(capacity < 2 ? std::size_t{2} : capacity);
    }

    struct slot {
        std::atomic<std::size_t> turn;
        alignas(T) std::byte bytes[sizeof(T)];
    };

    const std::size_t size_;
    std::unique_ptr<slot[]> slots_;
    alignas(64) std::atomic<std::size_t> last_{0};
    alignas(64) std::size_t first_ = 0;
};

}  // namespace upcall::detail
