// In sanitizer builds a buffer that a kernel may still write to is poisoned, so that touching it
// before its completion is reported at the line that did it. In other builds these do nothing.
#pragma once

#include <cstddef>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UPCALL_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define UPCALL_ASAN 1
#endif

#ifdef UPCALL_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace upcall {

/// From here on only a kernel may touch these bytes, until `unguard_buffer` of the same ones.
inline void guard_buffer([[maybe_unused]] const void* data,
                         [[maybe_unused]] std::size_t size) noexcept {
#ifdef UPCALL_ASAN
    __asan_poison_memory_region(data, size);
#endif
}

inline void unguard_buffer([[maybe_unused]] const void* data,
                           [[maybe_unused]] std::size_t size) noexcept {
#ifdef UPCALL_ASAN
    __asan_unpoison_memory_region(data, size);
#endif
}

}  // namespace upcall
