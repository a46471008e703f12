// A real-time signal that one thread has to itself, for descriptors to send.
#pragma once

#include <signal.h>

#include <cstdint>

namespace upcall {

/// While it exists, its signal and SIGIO are blocked on the thread that claimed it, and wait there
/// to be read (signalfd(2)). Others on the same thread get other numbers. SIGIO is what the kernel
/// sends in place of a signal that found no room (RLIMIT_SIGPENDING); it does not say for whom, so
/// all on the thread have to be told.
class thread_signal {
  public:
    thread_signal() = default;
    thread_signal(const thread_signal&) = delete;
    thread_signal& operator=(const thread_signal&) = delete;
    /// Takes what is still waiting, so that nothing is delivered later, and unblocks what was not
    /// blocked before. Nothing sends the signal any more.
    ~thread_signal();

    /// Once. 0 or a negated errno: EAGAIN, no signal is free: a number is passed over that the
    /// program handles or ignores.
    std::int64_t claim() noexcept;

    int number() const noexcept { return number_; }
    /// The signal and SIGIO.
    const sigset_t& set() const noexcept { return set_; }
    int thread() const noexcept { return thread_; }

    /// SIGIO was read: whoever has a signal on this thread has to look at everything.
    static void note_overflow() noexcept;
    /// Whether that was noted since this was last asked.
    bool overflowed() noexcept;

  private:
    void drain() noexcept;

    int number_ = 0;
    int thread_ = 0;
    sigset_t set_{};
    bool was_blocked_ = false;
    std::uint64_t overflows_seen_ = 0;
};

}  // namespace upcall
