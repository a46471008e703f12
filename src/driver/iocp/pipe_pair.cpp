#include "driver/iocp/pipe_pair.hpp"

#include <atomic>
#include <cstdio>

#include "driver/iocp/errors.hpp"

namespace upcall::iocp {
namespace {

constexpr DWORD pipe_bytes = 64 << 10;

std::atomic<unsigned long> pipes_made{0};

}  // namespace

result<pipe_pair> make_pipe_pair() noexcept {
    char name[64];
    // Unique in the process, and the process is named; whoever guesses it finds the name taken
    // (FILE_FLAG_FIRST_PIPE_INSTANCE) and the only instance connected.
    std::snprintf(name, sizeof name, "\\\\.\\pipe\\upcall.%lu.%lu", ::GetCurrentProcessId(),
                  pipes_made.fetch_add(1, std::memory_order_relaxed));
    const HANDLE read_end = ::CreateNamedPipeA(
        name, PIPE_ACCESS_INBOUND | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE,
        PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS, 1, pipe_bytes,
        pipe_bytes, 0, nullptr);
    if (read_end == INVALID_HANDLE_VALUE) return last_error();
    const HANDLE write_end = ::CreateFileA(name, GENERIC_WRITE, 0, nullptr, OPEN_EXISTING,
                                           FILE_FLAG_OVERLAPPED, nullptr);
    if (write_end == INVALID_HANDLE_VALUE) {
        auto failed = last_error();
        ::CloseHandle(read_end);
        return failed;
    }
    return pipe_pair{reinterpret_cast<native_handle>(read_end),
                     reinterpret_cast<native_handle>(write_end)};
}

}  // namespace upcall::iocp
