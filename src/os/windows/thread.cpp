#include <upcall/os/thread.hpp>

#include <windows.h>

#include <memory>
#include <new>

#include <upcall/base/fatal.hpp>

namespace upcall {
namespace {

struct start_notes {
    void (*run)(void*) noexcept;
    void* argument;
};

DWORD WINAPI run_thread(void* argument) noexcept {
    const std::unique_ptr<start_notes> notes(static_cast<start_notes*>(argument));
    notes->run(notes->argument);
    return 0;
}

}  // namespace

os_thread::~os_thread() { UPCALL_ASSERT(!joinable()); }

result<os_thread> os_thread::start(void (*run)(void*) noexcept, void* argument,
                                   const thread_options& options) noexcept {
    auto* notes = new (std::nothrow) start_notes{run, argument};
    if (!notes) return failure(std::make_error_code(std::errc::not_enough_memory));
    HANDLE native = ::CreateThread(nullptr, options.stack_bytes, run_thread, notes,
                                   STACK_SIZE_PARAM_IS_A_RESERVATION, nullptr);
    if (!native) {
        delete notes;
        return failure(std::make_error_code(std::errc::resource_unavailable_try_again));
    }
    return os_thread(reinterpret_cast<std::uintptr_t>(native));
}

void os_thread::join() noexcept {
    HANDLE native = reinterpret_cast<HANDLE>(std::exchange(native_, 0));
    ::WaitForSingleObject(native, INFINITE);
    ::CloseHandle(native);
}

}  // namespace upcall
