#include <upcall/base/recycler.hpp>

#include <cstdint>
#include <new>

#ifdef _WIN32
#include "base/windows/per_thread.hpp"
#endif

#if defined(__SANITIZE_ADDRESS__)
#define UPCALL_RECYCLE 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UPCALL_RECYCLE 0
#endif
#endif
#ifndef UPCALL_RECYCLE
#define UPCALL_RECYCLE 1  // Under ASan every free must be real, or use after free goes unseen.
#endif

namespace upcall {
namespace {

// Size classes are 8 bytes more than multiples of 16, which the allocators of glibc and others,
// whose blocks carry 8 bytes of their own, hand out without waste.
constexpr std::size_t class_step = 16;
constexpr std::size_t class_extra = 8;
constexpr std::size_t classes = 256;             // blocks of up to 4 KiB are kept
constexpr std::size_t kept_bytes_max = 1 << 20;  // per size class and thread

struct free_block {
    free_block* next;
};

struct cache {
    free_block* free[classes + 1] = {};
    std::uint32_t count[classes + 1] = {};
    std::size_t fresh = 0;

    cache() = default;
    cache(const cache&) = delete;
    cache& operator=(const cache&) = delete;
    ~cache() { shut(); }

    /// Keeps nothing, and nothing that is freed from here on.
    void shut() noexcept {
        for (free_block*& head : free) {
            while (head) {
                free_block* block = head;
                head = block->next;
                ::operator delete(block);
            }
        }
        for (std::uint32_t& kept : count) kept = UINT32_MAX / 2;
    }
    void open() noexcept {
        for (std::uint32_t& kept : count) kept = 0;
    }
};

#ifdef _WIN32
cache* cache_to_take_from() noexcept { return per_thread<cache>::get_or_make(); }
cache* cache_to_keep_in() noexcept { return per_thread<cache>::get(); }
#else
thread_local cache local;

cache* cache_to_take_from() noexcept { return &local; }
cache* cache_to_keep_in() noexcept { return &local; }
#endif

constexpr std::size_t class_of(std::size_t size) noexcept {
    return (size + class_step - 1 - class_extra) / class_step;
}
constexpr std::size_t bytes_of(std::size_t index) noexcept {
    return index * class_step + class_extra;
}
static_assert(class_of(0) == 0 && bytes_of(0) >= sizeof(free_block));
static_assert(class_of(8) == 0 && class_of(9) == 1 && bytes_of(class_of(24)) == 24);

}  // namespace

void* recycler_allocate(std::size_t size) {
    const std::size_t index = class_of(size);
    cache* mine = cache_to_take_from();
    if (UPCALL_RECYCLE && index <= classes && mine) {
        if (free_block* block = mine->free[index]) {
            mine->free[index] = block->next;
            --mine->count[index];
            return block;
        }
    }
    if (mine) ++mine->fresh;
    return ::operator new(UPCALL_RECYCLE ? bytes_of(index) : size);
}

void recycler_free(void* block, std::size_t size) noexcept {
    const std::size_t index = class_of(size);
    cache* mine = cache_to_keep_in();
    if (UPCALL_RECYCLE && index <= classes && mine) {
        if (mine->count[index] * bytes_of(index) < kept_bytes_max) {
            auto* freed = static_cast<free_block*>(block);
            freed->next = mine->free[index];
            mine->free[index] = freed;
            ++mine->count[index];
            return;
        }
    }
    ::operator delete(block);
}

void recycler_bypass(bool on) noexcept {
    cache* mine = cache_to_take_from();
    if (!mine) return;
    if (on)
        mine->shut();
    else
        mine->open();
}

std::size_t recycler_fresh_blocks() noexcept {
    const cache* mine = cache_to_keep_in();
    return mine ? mine->fresh : 0;
}

}  // namespace upcall
