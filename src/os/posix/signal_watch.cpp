#include <upcall/os/signal_watch.hpp>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <cerrno>
#include <limits>

namespace upcall {

/// The list of all watches, which the handler walks. It is guarded by a spin lock whose holder has
/// every signal blocked: a handler never interrupts the holder on its own thread, and on another
/// thread waits for no more than a few loads and stores, or one write(2).
struct signal_hub {
    struct installed {
        std::uint32_t watches = 0;
        struct sigaction before{};
    };

    std::atomic_flag held;
    sigset_t mask_of_holder{};
    signal_watch* first = nullptr;
    std::array<installed, signal_watch::number_max + 1> signals{};

    static void spin(std::atomic_flag& flag) noexcept {
        while (flag.test_and_set(std::memory_order_acquire)) {
        }
    }

    void lock() noexcept {
        sigset_t all;
        sigset_t before;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before);
        spin(held);
        mask_of_holder = before;
    }
    void unlock() noexcept {
        const sigset_t before = mask_of_holder;
        held.clear(std::memory_order_release);
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }

    static void note(signal_watch& watch, int number, const siginfo_t* info) noexcept {
        signal_event& event = watch.came_[static_cast<std::size_t>(number - 1)];
        event.number = number;
        if (event.count < std::numeric_limits<std::uint32_t>::max()) ++event.count;
        event.code = info->si_code;
        const bool has_sender = number == SIGCHLD || info->si_code == SI_USER ||
                                info->si_code == SI_QUEUE || info->si_code == SI_TKILL;
        event.sender = has_sender ? info->si_pid : 0;
        event.sender_user = has_sender ? info->si_uid : 0;
        event.status = number == SIGCHLD ? info->si_status : 0;
        watch.waiting_ |= bit(number);
        ring(watch);
    }

    static void ring(signal_watch& watch) noexcept {
        if (watch.readable_) return;
        watch.readable_ = true;
        [[maybe_unused]] const auto written = ::write(static_cast<int>(watch.bell_.get()), "", 1);
    }

    static std::uint64_t bit(int number) noexcept { return std::uint64_t{1} << (number - 1); }

    static void on_signal(int number, siginfo_t* info, void*) noexcept;

    std::int64_t install(int number) noexcept;
    void restore(int number) noexcept;
    void leave_to_child() noexcept;
};

namespace {

constinit signal_hub hub;

/// Faults of the thread's own: returning from a handler of theirs would raise them again.
bool is_fault(int number) noexcept {
    switch (number) {
        case SIGSEGV:
        case SIGBUS:
        case SIGFPE:
        case SIGILL:
        case SIGTRAP:
        case SIGSYS:
        case SIGABRT:
            return true;
        default:
            return false;
    }
}

/// A child of fork(2) must not take signals for its parent, nor find the lock held by a thread that
/// it does not have.
void watch_forks() noexcept {
    static const int done = ::pthread_atfork([] { hub.lock(); }, [] { hub.unlock(); },
                                             [] {
                                                 hub.leave_to_child();
                                                 hub.unlock();
                                             });
    static_cast<void>(done);
}

}  // namespace

void signal_hub::on_signal(int number, siginfo_t* info, void*) noexcept {
    const int error = errno;
    // The action's mask blocks every other signal already.
    spin(hub.held);
    for (signal_watch* watch = hub.first; watch; watch = watch->next_)
        if (watch->numbers_ & bit(number)) note(*watch, number, info);
    hub.held.clear(std::memory_order_release);
    errno = error;
}

std::int64_t signal_hub::install(int number) noexcept {
    installed& entry = signals[static_cast<std::size_t>(number)];
    if (entry.watches == 0) {
        struct sigaction action{};
        action.sa_sigaction = on_signal;
        action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
        ::sigfillset(&action.sa_mask);
        if (::sigaction(number, &action, &entry.before) != 0) return -errno;
    }
    ++entry.watches;
    return 0;
}

void signal_hub::restore(int number) noexcept {
    installed& entry = signals[static_cast<std::size_t>(number)];
    if (--entry.watches != 0) return;
    struct sigaction current{};
    ::sigaction(number, nullptr, &current);
    // Somebody else's handler stays, even if it came later than ours.
    if ((current.sa_flags & SA_SIGINFO) && current.sa_sigaction == on_signal)
        ::sigaction(number, &entry.before, nullptr);
}

void signal_hub::leave_to_child() noexcept {
    for (int number = 1; number <= signal_watch::number_max; ++number) {
        installed& entry = signals[static_cast<std::size_t>(number)];
        if (entry.watches == 0) continue;
        entry.watches = 1;
        restore(number);
    }
    for (signal_watch* watch = first; watch; watch = watch->next_) {
        watch->numbers_ = 0;
        watch->listed_ = false;
    }
    first = nullptr;
}

signal_watch::~signal_watch() {
    if (!bell_) return;
    hub.lock();
    if (listed_)
        for (signal_watch** at = &hub.first; *at; at = &(*at)->next_) {
            if (*at != this) continue;
            *at = next_;
            break;
        }
    for (int number = 1; number <= number_max; ++number)
        if (numbers_ & signal_hub::bit(number)) hub.restore(number);
    hub.unlock();
}

result<descriptor> signal_watch::open() noexcept {
    watch_forks();
    int ends[2];
    if (::pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0)
        return failure({errno, std::generic_category()});
    bell_ = descriptor(ends[1]);
    hub.lock();
    next_ = std::exchange(hub.first, this);
    listed_ = true;
    hub.unlock();
    return descriptor(ends[0]);
}

result<void> signal_watch::add(int number) noexcept {
    if (number < 1 || number > number_max || is_fault(number))
        return failure(std::make_error_code(std::errc::invalid_argument));
    hub.lock();
    std::int64_t refused = 0;
    if (!(numbers_ & signal_hub::bit(number))) {
        refused = hub.install(number);
        if (refused == 0) numbers_ |= signal_hub::bit(number);
    }
    hub.unlock();
    if (refused < 0) return failure(error_from_raw(refused));
    return {};
}

bool signal_watch::take(signal_event& into, bool drained) noexcept {
    hub.lock();
    if (drained) readable_ = false;
    const bool found = waiting_ != 0;
    if (found) {
        // The next number after the last one, so that a storm of one hides no other.
        const std::uint64_t higher =
            last_taken_ < number_max ? waiting_ >> last_taken_ << last_taken_ : 0;
        const int number = std::countr_zero(higher ? higher : waiting_) + 1;
        last_taken_ = number;
        signal_event& event = came_[static_cast<std::size_t>(number - 1)];
        into = std::exchange(event, {});
        waiting_ &= ~signal_hub::bit(number);
    }
    if (waiting_ != 0) signal_hub::ring(*this);
    hub.unlock();
    return found;
}

}  // namespace upcall
