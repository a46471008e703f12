#include <upcall/os/thread.hpp>

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <new>

#include <upcall/base/fatal.hpp>
#include <upcall/base/sanitizer.hpp>

namespace upcall {
namespace {

// Sanitizers make frames several times as large.
#if defined(UPCALL_ASAN) || defined(__SANITIZE_THREAD__)
constexpr std::size_t stack_bytes_min = std::size_t{1} << 20;
#else
constexpr std::size_t stack_bytes_min = std::size_t{64} << 10;
#endif

struct start_notes {
    void (*run)(void*) noexcept;
    void* argument;
    char name[16];
};

void* run_thread(void* argument) noexcept {
    const std::unique_ptr<start_notes> notes(static_cast<start_notes*>(argument));
#if defined(__linux__)
    ::pthread_setname_np(::pthread_self(), notes->name);
#endif
    notes->run(notes->argument);
    return nullptr;
}

class attributes {
  public:
    explicit attributes(std::size_t stack_bytes) noexcept {
        ::pthread_attr_init(&native_);
        if (stack_bytes == 0) return;
        const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
        const auto least = std::max(stack_bytes_min, static_cast<std::size_t>(PTHREAD_STACK_MIN));
        const std::size_t wanted = std::max(stack_bytes, least);
        ::pthread_attr_setstacksize(&native_, (wanted + page - 1) / page * page);
    }
    attributes(const attributes&) = delete;
    attributes& operator=(const attributes&) = delete;
    ~attributes() { ::pthread_attr_destroy(&native_); }
    const pthread_attr_t* get() const noexcept { return &native_; }

  private:
    pthread_attr_t native_;
};

}  // namespace

os_thread::~os_thread() { UPCALL_ASSERT(!joinable()); }

result<os_thread> os_thread::start(void (*run)(void*) noexcept, void* argument,
                                   const thread_options& options) noexcept {
    auto* notes = new (std::nothrow) start_notes{run, argument, {}};
    if (!notes) return failure(std::make_error_code(std::errc::not_enough_memory));
    std::string_view(options.name).copy(notes->name, sizeof notes->name - 1);
    const attributes wanted(options.stack_bytes);
    // A new thread inherits the mask: blocked from its first instruction on.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t native{};
    const int error = ::pthread_create(&native, wanted.get(), run_thread, notes);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (error != 0) {
        delete notes;
        return failure({error, std::generic_category()});
    }
    return os_thread(static_cast<std::uintptr_t>(native));
}

void os_thread::join() noexcept {
    ::pthread_join(static_cast<pthread_t>(std::exchange(native_, 0)), nullptr);
}

}  // namespace upcall
