// The end of a program whose invariants are broken: said aloud, in every build.
#pragma once

namespace upcall {

/// Writes "upcall: fatal: <message>" to standard error and aborts. printf-like; allocates nothing.
[[noreturn]] [[gnu::format(printf, 1, 2)]] void fatal(const char* format, ...) noexcept;

}  // namespace upcall

/// Checks what must be true at a boundary; stays on in release builds, so keep the condition cheap.
#define UPCALL_ASSERT(condition)                                                            \
    do {                                                                                    \
        if (!(condition)) [[unlikely]]                                                      \
            ::upcall::fatal("%s:%d: broken invariant: %s", __FILE__, __LINE__, #condition); \
    } while (false)
