#include <upcall/base/recycler.hpp>

#include <cstdint>
#include <new>

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

constexpr std::size_t class_bytes = 32;
constexpr std::size_t classes = 128;             // blocks of up to 4 KiB are kept
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
    ~cache() {
        for (free_block*& head : free) {
            while (head) {
                free_block* block = head;
                head = block->next;
                ::operator delete(block);
            }
        }
        for (std::uint32_t& kept : count) kept = UINT32_MAX / 2;  // late frees go straight back
    }
};

thread_local cache local;

constexpr std::size_t class_of(std::size_t size) noexcept {
    return (size + class_bytes - 1) / class_bytes;
}

}  // namespace

void* recycler_allocate(std::size_t size) {
    const std::size_t index = class_of(size);
    if (UPCALL_RECYCLE && index <= classes) {
        cache& mine = local;
        if (free_block* block = mine.free[index]) {
            mine.free[index] = block->next;
            --mine.count[index];
            return block;
        }
    }
    ++local.fresh;
    return ::operator new(UPCALL_RECYCLE ? index * class_bytes : size);
}

void recycler_free(void* block, std::size_t size) noexcept {
    const std::size_t index = class_of(size);
    if (UPCALL_RECYCLE && index <= classes) {
        cache& mine = local;
        if (mine.count[index] * index * class_bytes < kept_bytes_max) {
            auto* freed = static_cast<free_block*>(block);
            freed->next = mine.free[index];
            mine.free[index] = freed;
            ++mine.count[index];
            return;
        }
    }
    ::operator delete(block);
}

std::size_t recycler_fresh_blocks() noexcept { return local.fresh; }

}  // namespace upcall
