// The buffers that a driver leases out when data arrives, so that an idle peer owns none.
//
// Two sizes: small ones for messages, large ones for bulk. Both are handed out last in, first out,
// which keeps the few that are in use warm in the cache however many there could be.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include <upcall/base/buffer.hpp>

namespace upcall {

class buffer_pool;

/// A leased buffer with received bytes in it. Move-only; gives the buffer back when destroyed.
/// May be destroyed on another thread than its loop's. Should not outlive the loop: its pool is
/// reported and leaked then.
class lease {
  public:
    lease() = default;
    /// Takes a buffer of `pool` over that was taken out of it: its bytes from `begin` up to `size`.
    lease(buffer_pool& pool, std::byte* block, std::size_t size, std::size_t begin = 0) noexcept
        : pool_(&pool),
          block_(block),
          begin_(static_cast<std::uint32_t>(begin)),
          size_(static_cast<std::uint32_t>(size)) {}
    lease(lease&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)),
          block_(std::exchange(other.block_, nullptr)),
          begin_(std::exchange(other.begin_, 0)),
          size_(std::exchange(other.size_, 0)) {}
    lease& operator=(lease&& other) noexcept {
        if (this != &other) {
            reset();
            pool_ = std::exchange(other.pool_, nullptr);
            block_ = std::exchange(other.block_, nullptr);
            begin_ = std::exchange(other.begin_, 0);
            size_ = std::exchange(other.size_, 0);
        }
        return *this;
    }
    ~lease() { reset(); }

    /// The received bytes that were not dropped yet; valid until the buffer is given back.
    byte_span span() const noexcept { return {block_ + begin_, size_ - begin_}; }
    operator byte_view() const noexcept { return span(); }
    std::byte* data() const noexcept { return block_ + begin_; }
    std::size_t size() const noexcept { return size_ - begin_; }
    bool empty() const noexcept { return size_ == begin_; }
    std::string_view text() const noexcept { return text_of(span()); }

    /// Forgets the first `count` bytes; `count` is at most size().
    void drop_front(std::size_t count) noexcept { begin_ += static_cast<std::uint32_t>(count); }

    /// Gives the buffer back now.
    void reset() noexcept;

  private:
    buffer_pool* pool_ = nullptr;
    std::byte* block_ = nullptr;
    std::uint32_t begin_ = 0;
    std::uint32_t size_ = 0;
};

/// The buffers of a pool: memory is reserved for all of them, and used as they are first needed.
struct buffer_pool_options {
    /// Sizes are rounded up to powers of two, from 64 bytes to 1 GiB; counts are at most 65,536,
    /// as kernels number buffers with 16 bits.
    std::size_t small_bytes = 1024;
    std::size_t small_count = 4096;
    std::size_t large_bytes = std::size_t{64} << 10;
    std::size_t large_count = 256;
};

/// One per loop. All calls are for the loop's thread, except `give_back`.
class buffer_pool {
  public:
    /// Reserves the memory; pages are touched only when a buffer is first used. Throws
    /// std::bad_alloc.
    explicit buffer_pool(const buffer_pool_options& options = {});
    buffer_pool(const buffer_pool&) = delete;
    buffer_pool& operator=(const buffer_pool&) = delete;
    /// Frees the memory: no lease may be left.
    ~buffer_pool();

    /// For who owns a pool whose leases may outlive it: frees it, or reports it and leaks it, for
    /// they give back to it.
    struct unless_leased {
        void operator()(buffer_pool* pool) const noexcept;
    };

    std::size_t small_bytes() const noexcept { return small_.bytes; }
    std::size_t large_bytes() const noexcept { return large_.bytes; }

    /// A free buffer, or null when all are out.
    std::byte* take_small() noexcept { return take(small_); }
    std::byte* take_large() noexcept { return take(large_); }

    /// Whether so many small buffers are out that none should lie about unread.
    bool runs_low() const noexcept { return small_.out > small_.count / 2; }

    /// Takes a buffer back. Any thread.
    void give_back(std::byte* block) noexcept;

    /// Numbers a small or large buffer within its kind, for kernels that name buffers by number.
    std::uint32_t index_of(const std::byte* block) const noexcept {
        return (small_.holds(block) ? small_ : large_).index_of(block);
    }
    /// The buffer with that number, whether or not it is out.
    std::byte* small_at(std::uint32_t index) const noexcept {
        return small_.memory + std::size_t{index} * small_.bytes;
    }
    std::byte* large_at(std::uint32_t index) const noexcept {
        return large_.memory + std::size_t{index} * large_.bytes;
    }
    /// Whether it is one of the pool's large buffers.
    bool is_large(const std::byte* block) const noexcept { return large_.holds(block); }

    /// What whoever holds a buffer may note about it: the next in a queue, and which bytes count.
    struct note {
        std::byte* next;
        std::uint32_t begin;
        std::uint32_t size;
    };
    note& note_of(const std::byte* block) noexcept {
        kind& home = small_.holds(block) ? small_ : large_;
        return home.notes[home.index_of(block)];
    }

    /// Buffers that are out: leased, or in a kernel's hands.
    std::size_t outstanding() noexcept;

    /// Called, on the loop's thread, when a buffer came back after `take_*` had returned null.
    void (*on_refill)(void* argument) noexcept = nullptr;
    /// Called, on any thread, when a buffer came back from another thread while the loop may sleep,
    /// or be about to, for want of one; has to wake it, so that it calls `collect_foreign`.
    void (*on_foreign)(void* argument) noexcept = nullptr;
    void* callback_argument = nullptr;

    /// Calls neither of them from here on, and waits until no other thread is in the middle of it.
    void stop_telling() noexcept;

    /// Takes in what other threads gave back. The loop calls it when it was woken.
    void collect_foreign() noexcept;

  private:
    struct kind {
        std::byte* memory = nullptr;
        std::size_t bytes = 0;
        unsigned bytes_log2 = 0;
        std::uint32_t count = 0;
        std::uint32_t untouched = 0;  // buffers from here on were never handed out
        std::uint32_t out = 0;
        std::vector<std::uint32_t> free;
        std::unique_ptr<note[]> notes;

        bool holds(const std::byte* block) const noexcept {
            return offset_of(block) < std::uintptr_t{count} << bytes_log2;
        }
        std::uint32_t index_of(const std::byte* block) const noexcept {
            return static_cast<std::uint32_t>(offset_of(block) >> bytes_log2);
        }
        /// Of a block before the memory, more than any within.
        std::uintptr_t offset_of(const std::byte* block) const noexcept {
            return reinterpret_cast<std::uintptr_t>(block) -
                   reinterpret_cast<std::uintptr_t>(memory);
        }
    };
    struct foreign_return {
        foreign_return* next;
    };

    std::byte* take(kind& from) noexcept;
    std::byte* take_dry(kind& from) noexcept;
    void put(std::byte* block) noexcept;
    void await_returning() const noexcept;

    kind small_;
    kind large_;
    std::atomic<bool> starved_ = false;
    const void* owner_thread_;
    std::atomic<foreign_return*> foreign_{nullptr};
    /// Other threads inside `give_back`: what they look at stays until they are out.
    std::atomic<std::uint32_t> returning_{0};
    std::atomic<bool> telling_{true};
};

inline void lease::reset() noexcept {
    if (!block_) return;
    pool_->give_back(std::exchange(block_, nullptr));
    begin_ = size_ = 0;
}

/// Leases of one pool, first in, first out. Needs no memory of its own: the links are the pool's
/// notes. Must be emptied before it ends.
class lease_queue {
  public:
    bool empty() const noexcept { return first_ == nullptr; }
    std::size_t size() const noexcept { return size_; }

    /// Takes the buffer with `size` bytes in it, from the pool's owner or a lease.
    void push(buffer_pool& pool, std::byte* block, std::size_t size) noexcept {
        pool.note_of(block) = {nullptr, 0, static_cast<std::uint32_t>(size)};
        if (first_)
            pool.note_of(last_).next = block;
        else
            first_ = block;
        last_ = block;
        ++size_;
    }

    /// What is in front; the queue is not empty.
    byte_view front(buffer_pool& pool) const noexcept {
        const auto& note = pool.note_of(first_);
        return {first_ + note.begin, note.size - note.begin};
    }

    /// Forgets the first bytes in front, and the buffer with its last.
    void drop_front(buffer_pool& pool, std::size_t count) noexcept {
        auto& note = pool.note_of(first_);
        note.begin += static_cast<std::uint32_t>(count);
        if (note.begin == note.size) pop(pool).reset();
    }

    /// The first, which leaves the queue; it is not empty.
    lease pop(buffer_pool& pool) noexcept {
        const auto note = pool.note_of(first_);
        return {pool, pop_block(pool), note.size, note.begin};
    }
    /// The same without its lease: the caller owns the buffer, of which the pool's note tells.
    std::byte* pop_block(buffer_pool& pool) noexcept {
        --size_;
        return std::exchange(first_, pool.note_of(first_).next);
    }

    /// Of all that wait.
    std::size_t bytes(buffer_pool& pool) const noexcept {
        std::size_t sum = 0;
        std::byte* at = first_;
        for (std::uint32_t left = size_; left > 0; --left) {
            const auto& note = pool.note_of(at);
            sum += note.size - note.begin;
            at = note.next;
        }
        return sum;
    }

    /// Gives all buffers back.
    void clear(buffer_pool& pool) noexcept {
        while (!empty()) pop(pool).reset();
    }

  private:
    std::byte* first_ = nullptr;
    std::byte* last_ = nullptr;
    std::uint32_t size_ = 0;
};

}  // namespace upcall
