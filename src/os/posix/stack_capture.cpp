#include <upcall/os/stack_capture.hpp>

#include <execinfo.h>
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <thread>

namespace upcall {
namespace {

/// The handler's own two frames and the kernel's.
constexpr int frames_of_the_handler = 2;
constexpr auto patience = std::chrono::milliseconds(100);

enum class phase : int { none, wanted, taking, taken };

/// What the handler fills in. Static, for it may come late.
struct exchange_place {
    std::atomic<phase> now{phase::none};
    pthread_t from{};
    void (*also)(void*) noexcept = nullptr;
    void* argument = nullptr;
    void* frames[captured_stack::frames_max + frames_of_the_handler]{};
    int count = 0;
};

constinit exchange_place place;
std::mutex one_at_a_time;

extern "C" void upcall_note_stack(int) {
    const int error = errno;
    phase expected = phase::wanted;
    if (place.now.load(std::memory_order_acquire) == phase::wanted &&
        ::pthread_equal(::pthread_self(), place.from) != 0 &&
        place.now.compare_exchange_strong(expected, phase::taking, std::memory_order_acquire)) {
        place.count = ::backtrace(place.frames, static_cast<int>(std::size(place.frames)));
        if (place.also) place.also(place.argument);
        place.now.store(phase::taken, std::memory_order_release);
    }
    errno = error;
}

/// Whether SIGURG is ours. A handler of the program's own stays.
bool handler_is_there() noexcept {
    struct sigaction now{};
    if (::sigaction(SIGURG, nullptr, &now) != 0) return false;
    if (now.sa_handler == upcall_note_stack) return true;
    if ((now.sa_flags & SA_SIGINFO) || now.sa_handler != SIG_DFL) return false;
    // The first call loads a library, which is nothing for a signal handler.
    void* warm_up[2];
    ::backtrace(warm_up, 2);
    struct sigaction ours{};
    ours.sa_handler = upcall_note_stack;
    ours.sa_flags = SA_RESTART;
    ::sigemptyset(&ours.sa_mask);
    return ::sigaction(SIGURG, &ours, nullptr) == 0;
}

bool await_taken() noexcept {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (place.now.load(std::memory_order_acquire) != phase::taken) {
        if (std::chrono::steady_clock::now() < until) {
            std::this_thread::sleep_for(std::chrono::microseconds(100));
            continue;
        }
        phase expected = phase::wanted;
        if (place.now.compare_exchange_strong(expected, phase::none)) return false;
        // The handler is at work.
        std::this_thread::yield();
    }
    return true;
}

}  // namespace

thread_identity thread_identity::of_caller() noexcept {
    thread_identity made;
    static_assert(sizeof(pthread_t) <= sizeof made.native_);
    made.native_ = (std::uintptr_t)::pthread_self();
    return made;
}

bool captured_stack::take(thread_identity thread, void (*also)(void* argument) noexcept,
                          void* argument) noexcept {
    const std::lock_guard held(one_at_a_time);
    if (!handler_is_there()) return false;
    place.from = (pthread_t)thread.native_;
    place.also = also;
    place.argument = argument;
    place.now.store(phase::wanted, std::memory_order_release);
    if (::pthread_kill(place.from, SIGURG) != 0 || !await_taken()) {
        place.now.store(phase::none, std::memory_order_relaxed);
        return false;
    }
    count_ = 0;
    for (int at = frames_of_the_handler; at < place.count; ++at) all_[count_++] = place.frames[at];
    place.now.store(phase::none, std::memory_order_relaxed);
    return true;
}

std::string captured_stack::to_string() const {
    std::string text;
    char** lines = ::backtrace_symbols(all_.data(), static_cast<int>(count_));
    if (!lines) return text;
    for (std::size_t at = 0; at < count_; ++at) text.append("    ").append(lines[at]).append("\n");
    std::free(static_cast<void*>(lines));
    return text;
}

}  // namespace upcall
