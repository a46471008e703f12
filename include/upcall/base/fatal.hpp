// The end of a program whose invariants are broken: said aloud, in every build.
#pragma once

// MinGW's C++ library replaces the printf of Windows by one that knows the standard's formats.
#ifdef __MINGW32__
#define UPCALL_PRINTF_LIKE gnu::format(gnu_printf, 1, 2)
#else
#define UPCALL_PRINTF_LIKE gnu::format(printf, 1, 2)
#endif

namespace upcall {

/// Writes "upcall: fatal: <message>" to standard error and aborts. printf-like; allocates nothing.
[[noreturn]] [[UPCALL_PRINTF_LIKE]] void fatal(const char* format, ...) noexcept;

}  // namespace upcall

/// Checks what must be true at a boundary; stays on in release builds, so keep the condition cheap.
#define UPCALL_ASSERT(condition)                                                            \
    do {                                                                                    \
        if (!(condition)) [[unlikely]]                                                      \
            ::upcall::fatal("%s:%d: broken invariant: %s", __FILE__, __LINE__, #condition); \
    } while (false)
