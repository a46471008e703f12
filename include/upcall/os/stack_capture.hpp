// The stack of another thread, as it is at this moment.
//
// The thread is interrupted by SIGURG, whose default is to be ignored; if the program handles that
// signal itself, no stack is taken. Nothing happens to threads that are not asked for.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace upcall {

/// The calling thread, for others that want its stack. Valid as long as the thread runs.
class thread_identity {
  public:
    /// For the thread that calls it.
    static thread_identity of_caller() noexcept;

  private:
    friend struct captured_stack;
    std::uintptr_t native_ = 0;
};

/// The return addresses of one moment. A value.
struct captured_stack {
    /// How many are noted; a deeper stack loses its outermost.
    static constexpr std::size_t frames_max = 48;

    /// Interrupts `thread`, waits until it has noted its return addresses, innermost first, and
    /// has run `also(argument)` (which is in a signal handler: it may only copy). False: not to be
    /// had, within a tenth of a second, and `also` was not run and will not be. Any thread but
    /// that one; one call at a time proceeds.
    bool take(thread_identity thread, void (*also)(void* argument) noexcept,
              void* argument) noexcept;

    /// Innermost first; valid as long as this. Empty when none was taken.
    std::span<void* const> frames() const noexcept { return {all_.data(), count_}; }

    /// One line per frame: object, function and offset where the symbols are exported (link with
    /// -rdynamic), and the address that addr2line(1) takes.
    std::string to_string() const;

  private:
    std::array<void*, frames_max> all_{};
    std::size_t count_ = 0;
};

}  // namespace upcall
