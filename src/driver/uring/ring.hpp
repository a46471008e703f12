// A thin layer over one io_uring: entries in, completions out, one system call between them.
//
// Memory order follows the kernel's contract: the submission tail and the completion head are
// stored with release, the submission head and the completion tail are loaded with acquire.
// Used by the thread that enabled it, alone.
#pragma once

#include <atomic>
#include <cstdint>

#include "driver/uring/abi.hpp"

namespace upcall {

struct ring_shape {
    std::uint32_t sq_entries = 256;
    std::uint32_t cq_entries = 4096;
    /// Setup flags that may be used; those that a kernel refuses are stepped down from.
    std::uint32_t allowed = uring_abi::setup::all;
    bool registered_ring = true;
    bool no_iowait = true;
};

class ring {
  public:
    ring() = default;
    ring(const ring&) = delete;
    ring& operator=(const ring&) = delete;
    ~ring() { close(); }

    /// Creates the ring, disabled. 0 or -errno of io_uring_setup(2) or mmap(2).
    int open(const ring_shape& shape) noexcept;

    /// Makes the calling thread its owner and starts it. 0 or -errno.
    int enable() noexcept;

    void close() noexcept;

    /// Whether there is no room for another entry before the kernel has taken some. How much there
    /// is at all the kernel decides: asked for too many, it makes fewer (IORING_SETUP_CLAMP).
    bool full() const noexcept { return pending() >= sq_entries_; }

    /// A cleared entry to fill, or null when the queue is full: then `enter` first.
    uring_abi::sqe* next_entry() noexcept {
        if (full()) return nullptr;
        uring_abi::sqe& entry = entries_[tail_++ & sq_mask_];
        entry = {};
        return &entry;
    }

    /// Entries filled and not yet taken by the kernel.
    std::uint32_t pending() const noexcept { return tail_ - head_of_submissions(); }

    /// Hands over what is pending; with `wait_for` waits for that many completions, at most until
    /// `timeout` (null: without limit). Returns -errno, or how many were taken.
    int enter(std::uint32_t wait_for, const uring_abi::kernel_timespec* timeout) noexcept;

    /// Hands over what is pending without running completions.
    int flush() noexcept;

    /// Whether there is something that only `enter` hands over or brings, as far as that shows.
    bool has_work() const noexcept;
    /// The same, and true where it does not show.
    bool wants_enter() const noexcept;

    /// Calls visit(cqe) for every completion there is, then frees their places at once.
    template <class Visit>
    std::uint32_t reap(Visit&& visit) noexcept {
        return reap(visit, [](const uring_abi::cqe&) {});
    }

    /// The same; `announce` is called with each some visits earlier, for the processor to fetch
    /// what it speaks of.
    template <class Visit, class Announce>
    std::uint32_t reap(Visit&& visit, Announce&& announce) noexcept {
        constexpr std::uint32_t ahead = 4;
        const std::uint32_t tail = std::atomic_ref(*cq_tail_).load(std::memory_order_acquire);
        std::uint32_t head = *cq_head_;
        const std::uint32_t count = tail - head;
        for (; head != tail; ++head) {
            if (tail - head > ahead) announce(completions_[(head + ahead) & cq_mask_]);
            visit(completions_[head & cq_mask_]);
        }
        if (count) std::atomic_ref(*cq_head_).store(head, std::memory_order_release);
        return count;
    }

    bool has_completions() const noexcept {
        return std::atomic_ref(*cq_tail_).load(std::memory_order_acquire) != *cq_head_;
    }

    int fd() const noexcept { return fd_; }
    std::uint32_t setup_flags() const noexcept { return setup_; }
    std::uint32_t features() const noexcept { return features_; }

    /// io_uring_register(2) on this ring.
    int control(uring_abi::register_op what, void* argument, std::uint32_t count) noexcept {
        return uring_abi::sys_register(fd_, what, argument, count);
    }

  private:
    std::uint32_t head_of_submissions() const noexcept {
        return std::atomic_ref(*sq_head_).load(std::memory_order_acquire);
    }
    int map(const uring_abi::params& shape) noexcept;
    void publish() noexcept { std::atomic_ref(*sq_tail_).store(tail_, std::memory_order_release); }

    int fd_ = -1;
    int enter_fd_ = -1;
    std::uint32_t enter_flags_ = 0;
    std::uint32_t setup_ = 0;
    std::uint32_t features_ = 0;
    bool use_registered_ring_ = true;
    bool use_no_iowait_ = true;

    std::uint32_t tail_ = 0;
    std::uint32_t sq_entries_ = 0;
    std::uint32_t sq_mask_ = 0;
    std::uint32_t* sq_head_ = nullptr;
    std::uint32_t* sq_tail_ = nullptr;
    std::uint32_t* sq_flags_ = nullptr;
    uring_abi::sqe* entries_ = nullptr;

    std::uint32_t cq_mask_ = 0;
    std::uint32_t* cq_head_ = nullptr;
    std::uint32_t* cq_tail_ = nullptr;
    uring_abi::cqe* completions_ = nullptr;

    void* rings_ = nullptr;
    std::size_t rings_size_ = 0;
    std::size_t entries_size_ = 0;
};

}  // namespace upcall
