#include "driver/uring/buffer_group.hpp"

#include <sys/mman.h>

#include <atomic>

namespace upcall {

using namespace uring_abi;

int buffer_group::open(ring& ring, buffer_pool& pool, std::uint32_t entries,
                       std::uint32_t stock) noexcept {
    void* memory = ::mmap(nullptr, entries * sizeof(buf), PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return -errno;
    buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uint64_t>(memory);
    registration.ring_entries = entries;
    registration.bgid = id;
    if (const int error = ring.control(register_op::pbuf_ring, &registration, 1); error < 0) {
        ::munmap(memory, entries * sizeof(buf));
        return error;
    }
    ring_ = &ring;
    pool_ = &pool;
    entries_ = static_cast<buf*>(memory);
    mask_ = entries - 1;
    stock_ = stock;
    refill();
    return 0;
}

buffer_group::~buffer_group() {
    if (!entries_) return;
    buf_reg registration{};
    registration.bgid = id;
    ring_->control(register_op::unregister_pbuf_ring, &registration, 1);
    // What the kernel did not use stands between its head and our tail: the last `stocked_`.
    for (; stocked_ > 0; --stocked_) {
        const buf& entry = entries_[static_cast<std::uint16_t>(tail_ - stocked_) & mask_];
        pool_->give_back(reinterpret_cast<std::byte*>(entry.addr));
    }
    ::munmap(entries_, (mask_ + 1) * sizeof(buf));
}

bool buffer_group::refill() noexcept {
    if (stocked_ >= stock_) return true;
    const auto length = static_cast<std::uint32_t>(pool_->small_bytes());
    for (; stocked_ < stock_; ++stocked_) {
        std::byte* block = pool_->take_small();
        if (!block) break;
        buf& entry = entries_[tail_++ & mask_];
        entry.addr = reinterpret_cast<std::uint64_t>(block);
        entry.len = length;
        entry.bid = static_cast<std::uint16_t>(pool_->index_of(block));
    }
    std::atomic_ref(entries_[0].tail).store(tail_, std::memory_order_release);
    return stocked_ > 0;
}

bool buffer_group::grow() noexcept {
    if (stock_ >= mask_ + 1) return false;
    stock_ *= 2;
    return true;
}

}  // namespace upcall
