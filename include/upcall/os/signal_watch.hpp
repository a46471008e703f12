// Signals of the process, for somebody who waits on a descriptor.
//
// One handler per process notes each signal in every watch that asked for it, and makes their
// descriptors readable. Several watches may ask for one signal, on any threads. The first one for a
// signal replaces its disposition, the last one that goes restores it; and so does fork(2) in the
// child, where no watch is told anything.
#pragma once

#include <array>
#include <cstdint>

#include <upcall/base/result.hpp>
#include <upcall/os/descriptor.hpp>

namespace upcall {

/// A signal that came, or several of one number: the kernel itself does not count further ones
/// while one of the same number waits (signal(7)).
struct signal_event {
    int number = 0;
    /// How often the handler has run since the number was last told.
    std::uint32_t count = 0;
    /// Who sent the last of them: si_pid, si_uid; 0 when it was the kernel.
    std::int64_t sender = 0;
    std::uint32_t sender_user = 0;
    /// si_code of sigaction(2), and si_status for SIGCHLD.
    int code = 0;
    int status = 0;
};

/// One watch of some signals, pinned. Its members are for one thread, but for `take`.
class signal_watch {
  public:
    /// The highest number that can be watched.
    static constexpr int number_max = 64;

    signal_watch() noexcept = default;
    signal_watch(const signal_watch&) = delete;
    signal_watch& operator=(const signal_watch&) = delete;
    /// Stops watching. What came and was not taken is dropped.
    ~signal_watch();

    /// The descriptor that is readable while something waits for `take`, in non-blocking mode.
    /// Once, before `add`. Errors: those of pipe2(2); errc::unsupported on Windows.
    result<descriptor> open() noexcept;

    /// Watches one more signal. Errors: invalid_argument for what cannot be caught, and for what a
    /// fault of the program's own raises, such as SIGSEGV; those of sigaction(2).
    result<void> add(int number) noexcept;

    /// Takes a signal that came, each number in its turn. `drained` says that the descriptor was
    /// read until it was empty; it becomes readable again if more is left. Any thread.
    bool take(signal_event& into, bool drained) noexcept;

  private:
    friend struct signal_hub;

    signal_watch* next_ = nullptr;
    std::uint64_t numbers_ = 0;  // bit n - 1: watches n
    std::uint64_t waiting_ = 0;  // bit n - 1: n came
    int last_taken_ = 0;
    bool readable_ = false;
    bool listed_ = false;
    descriptor bell_;  // the end to write to
    std::array<signal_event, number_max> came_{};
};

}  // namespace upcall
