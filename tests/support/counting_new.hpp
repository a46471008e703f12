// Counts calls of operator new on this thread, and makes one of them fail. A test program that uses
// it links a file that consists of UPCALL_COUNT_ALLOCATIONS.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UPCALL_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UPCALL_TEST_SANITIZED 1
#endif
#endif

namespace upcall::testing {

struct allocations {
    /// Calls of operator new so far.
    std::size_t made = 0;
    /// The call that fails, counted from here; 0: none.
    std::size_t failing = 0;
};

extern thread_local allocations this_threads_allocations;

/// Lets the `n`-th allocation of this thread fail, from the constructor on.
class failing_allocation {
  public:
    explicit failing_allocation(std::size_t n) noexcept { this_threads_allocations.failing = n; }
    failing_allocation(const failing_allocation&) = delete;
    ~failing_allocation() { this_threads_allocations.failing = 0; }
    /// Whether there were that many.
    bool failed() const noexcept { return this_threads_allocations.failing == 0; }
};

/// Runs `body` with the n-th allocation of this thread failing, for every n there is, then without.
/// Returns how many failed.
template <class Body>
int fail_each_allocation(Body body) {
    int n = 0;
    for (bool failed = true; failed; ++n) {
        failing_allocation one(static_cast<std::size_t>(n) + 1);
        body();
        failed = one.failed();
    }
    return n - 1;
}

#ifdef _WIN32  // has no aligned_alloc, as its free could not tell such a block
inline void* allocate_aligned(std::size_t size, std::size_t alignment) {
    return _aligned_malloc(size, alignment);
}
inline void free_aligned(void* block) { _aligned_free(block); }
#else
inline void* allocate_aligned(std::size_t size, std::size_t alignment) {
    return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}
inline void free_aligned(void* block) { std::free(block); }
#endif

inline void* counted_new(std::size_t size, std::size_t alignment) {
    allocations& mine = this_threads_allocations;
    ++mine.made;
    if (mine.failing > 0 && --mine.failing == 0) throw std::bad_alloc();
    void* made = alignment > 0 ? allocate_aligned(size, alignment) : std::malloc(size ? size : 1);
    if (!made) throw std::bad_alloc();
    return made;
}

}  // namespace upcall::testing

#ifdef UPCALL_TEST_SANITIZED
// The sanitizers bring their own: nothing is counted then, and nothing fails.
#define UPCALL_COUNT_ALLOCATIONS                       \
    namespace upcall::testing {                        \
    thread_local allocations this_threads_allocations; \
    }
#else
#define UPCALL_COUNT_ALLOCATIONS                                                           \
    namespace upcall::testing {                                                            \
    thread_local allocations this_threads_allocations;                                     \
    }                                                                                      \
    void* operator new(std::size_t size) { return upcall::testing::counted_new(size, 0); } \
    void* operator new(std::size_t size, const std::nothrow_t&) noexcept {                 \
        try {                                                                              \
            return upcall::testing::counted_new(size, 0);                                  \
        } catch (const std::bad_alloc&) {                                                  \
            return nullptr;                                                                \
        }                                                                                  \
    }                                                                                      \
    void* operator new(std::size_t size, std::align_val_t alignment) {                     \
        return upcall::testing::counted_new(size, static_cast<std::size_t>(alignment));    \
    }                                                                                      \
    void operator delete(void* block) noexcept { std::free(block); }                       \
    void operator delete(void* block, std::size_t) noexcept { std::free(block); }          \
    void operator delete(void* block, std::align_val_t) noexcept {                         \
        upcall::testing::free_aligned(block);                                              \
    }                                                                                      \
    void operator delete(void* block, std::size_t, std::align_val_t) noexcept {            \
        upcall::testing::free_aligned(block);                                              \
    }
#endif
