// The group of provided buffers, all small: a ring from which the kernel picks one when data has
// arrived.
//
// Only as many buffers as recent traffic needed are in the kernel's hands; the rest wait in the
// pool, last in first out, so that a quiet server keeps to a few warm pages. When the kernel runs
// dry the stock doubles.
#pragma once

#include <cstdint>

#include <upcall/base/buffer_pool.hpp>

#include "driver/uring/ring.hpp"

namespace upcall {

class buffer_group {
  public:
    /// What entries name it by.
    static constexpr std::uint16_t id = 0;

    buffer_group() = default;
    buffer_group(const buffer_group&) = delete;
    buffer_group& operator=(const buffer_group&) = delete;
    ~buffer_group();

    /// Registers the group with room for `entries` (a power of two), `stock` of them filled.
    /// 0 or -errno.
    int open(ring& ring, buffer_pool& pool, std::uint32_t entries, std::uint32_t stock) noexcept;

    bool is_open() const noexcept { return entries_ != nullptr; }

    /// Buffers in the kernel's hands.
    std::size_t in_stock() const noexcept { return stocked_; }

    /// Fills the ring up to its stock. Returns whether it holds any buffer now.
    bool refill() noexcept;

    /// The kernel used buffer `index`; it is the caller's now.
    std::byte* taken(std::uint32_t index) noexcept {
        --stocked_;
        return pool_->small_at(index);
    }

    /// The kernel found the ring empty: hold more from now on. False: it is as large as it gets.
    bool grow() noexcept;

  private:
    ring* ring_ = nullptr;
    buffer_pool* pool_ = nullptr;
    uring_abi::buf* entries_ = nullptr;
    std::uint32_t mask_ = 0;
    std::uint32_t stock_ = 0;
    std::uint32_t stocked_ = 0;
    std::uint16_t tail_ = 0;
};

}  // namespace upcall
