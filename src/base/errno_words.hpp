// Words for the errnos that msvcrt, the C runtime that MinGW links, calls "Unknown error": those of
// sockets above all.
#pragma once

#include <span>

namespace upcall {

struct errno_meaning {
    int error;
    const char* words;
};

std::span<const errno_meaning> errno_words() noexcept;

}  // namespace upcall
