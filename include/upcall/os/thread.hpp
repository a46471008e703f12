// A thread that runs one function. Unlike std::thread it can fail to start without an exception,
// has a small stack on request, and leaves signals to the program's own threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <upcall/base/result.hpp>

namespace upcall {

/// How a thread is made.
struct thread_options {
    /// Shown by debuggers and ps; cut to what the system takes (15 characters on Linux).
    const char* name = "upcall";
    /// 0: the system's default. Raised to what the system, or a sanitizer, needs at least.
    std::size_t stack_bytes = 0;
};

/// Owns a thread. Move-only.
class os_thread {
  public:
    os_thread() = default;
    os_thread(os_thread&& other) noexcept : native_(std::exchange(other.native_, 0)) {}
    os_thread& operator=(os_thread&&) = delete;
    /// It must have been joined.
    ~os_thread();

    /// Starts `run(argument)` with all signals blocked. Error: resource_unavailable_try_again when
    /// the system has no thread to give (pthread_create(3)).
    static result<os_thread> start(void (*run)(void* argument) noexcept, void* argument,
                                   const thread_options& options = {}) noexcept;

    /// Whether there is a thread to wait for.
    bool joinable() const noexcept { return native_ != 0; }
    /// Waits until the function has returned. Never on the thread itself.
    void join() noexcept;
    /// Takes over a thread; this one must not be joinable.
    void take(os_thread&& other) noexcept { native_ = std::exchange(other.native_, 0); }

  private:
    explicit os_thread(std::uintptr_t native) noexcept : native_(native) {}
    std::uintptr_t native_ = 0;
};

}  // namespace upcall
