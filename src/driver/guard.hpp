// In sanitizer builds the memory that a started operation may still write to is poisoned until its
// completion. Drivers guard an operation when it has to wait, and take the guard off before the
// call that writes there, as sanitizers watch system calls too.
#pragma once

#include <upcall/base/sanitizer.hpp>
#include <upcall/driver/io_operation.hpp>

namespace upcall {

#ifdef UPCALL_ASAN
template <class Apply>
void for_each_guarded_part(const io_operation& op, Apply&& apply) noexcept {
    if (op.kind != op_kind::read && op.kind != op_kind::file_read) return;
    if (!(op.flags & op_vectored)) return apply(op.data, op.size);
    const auto* slices = static_cast<const io_slice*>(op.data);
    for (std::size_t at = 0; at < op.size; ++at) apply(slices[at].data, slices[at].size);
}
#endif

/// Touching the buffer that `op` reads into is an error from here on.
inline void guard([[maybe_unused]] const io_operation& op) noexcept {
#ifdef UPCALL_ASAN
    for_each_guarded_part(op, guard_buffer);
#endif
}

inline void unguard([[maybe_unused]] const io_operation& op) noexcept {
#ifdef UPCALL_ASAN
    for_each_guarded_part(op, unguard_buffer);
#endif
}

}  // namespace upcall
