// The errors of Windows as those of POSIX, so that a program compares with the same std::errc on
// every system.
#pragma once

#include <cstdint>

#include <upcall/base/result.hpp>

#include "driver/iocp/windows_headers.hpp"

namespace upcall {

/// The errno value that means the same as a Win32 or Winsock error; EIO where none does.
int errno_of(DWORD error) noexcept;

/// The raw outcome of an operation that failed with it.
inline std::int64_t raw_of(DWORD error) noexcept {
    return -static_cast<std::int64_t>(errno_of(error));
}

/// The failing side of a result, from what the last call on this thread left behind.
inline std::unexpected<std::error_code> last_error() noexcept {
    return failure(error_from_errno(errno_of(::GetLastError())));
}

}  // namespace upcall
