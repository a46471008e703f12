// What upcall asks of the compiler, said in one line instead of in a hundred errors.
#pragma once

#include <version>

#if defined(_MSVC_LANG)
#define UPCALL_CPLUSPLUS _MSVC_LANG
#else
#define UPCALL_CPLUSPLUS __cplusplus
#endif

#if UPCALL_CPLUSPLUS < 202100L || !defined(__cpp_lib_expected)
#error "upcall needs C++23 with std::expected: compile with -std=c++23 (GCC 12, clang 16 or newer)"
#endif

#undef UPCALL_CPLUSPLUS
