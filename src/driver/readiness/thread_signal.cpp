#include "driver/readiness/thread_signal.hpp"

#if defined(__linux__)

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

namespace upcall {
namespace {

// What the C library leaves free is shared with the program, which more often begins at SIGRTMIN.
constexpr int numbers_max = 16;

struct signals_of_thread {
    std::uint32_t taken = 0;  // bit n: SIGRTMAX - 1 - n
    int claims = 0;
    bool sigio_was_blocked = false;
    std::uint64_t overflows = 0;
};
thread_local signals_of_thread mine;

int number_at(int place) noexcept { return SIGRTMAX - 1 - place; }

int this_thread() noexcept { return static_cast<int>(::syscall(SYS_gettid)); }

bool is_used_by_the_program(int number) noexcept {
    struct sigaction now{};
    return ::sigaction(number, nullptr, &now) != 0 || now.sa_handler != SIG_DFL;
}

void unblock(int number) noexcept {
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, number);
    ::pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
}

}  // namespace

std::int64_t thread_signal::claim() noexcept {
    for (int place = 0; place < numbers_max && number_at(place) > SIGRTMIN; ++place) {
        const std::uint32_t bit = std::uint32_t{1} << place;
        const int number = number_at(place);
        if ((mine.taken & bit) || is_used_by_the_program(number)) continue;
        sigemptyset(&set_);
        sigaddset(&set_, number);
        sigaddset(&set_, SIGIO);
        sigset_t before;
        if (const int error = ::pthread_sigmask(SIG_BLOCK, &set_, &before)) return -error;
        if (mine.claims++ == 0) mine.sigio_was_blocked = sigismember(&before, SIGIO) == 1;
        mine.taken |= bit;
        was_blocked_ = sigismember(&before, number) == 1;
        number_ = number;
        thread_ = this_thread();
        overflows_seen_ = mine.overflows;
        return 0;
    }
    return -EAGAIN;
}

thread_signal::~thread_signal() {
    // A mask belongs to its thread: another one, or a child process, has nothing to give back.
    if (number_ == 0 || thread_ != this_thread()) return;
    drain();
    mine.taken &= ~(std::uint32_t{1} << (SIGRTMAX - 1 - number_));
    if (!was_blocked_) unblock(number_);
    if (--mine.claims == 0 && !mine.sigio_was_blocked) unblock(SIGIO);
}

void thread_signal::drain() noexcept {
    constexpr timespec at_once{};
    for (;;) {
        const int got = ::sigtimedwait(&set_, nullptr, &at_once);
        if (got == SIGIO) note_overflow();
        if (got < 0 && errno != EINTR) return;
    }
}

void thread_signal::note_overflow() noexcept { ++mine.overflows; }

bool thread_signal::overflowed() noexcept {
    const bool some = overflows_seen_ != mine.overflows;
    overflows_seen_ = mine.overflows;
    return some;
}

}  // namespace upcall

#endif
