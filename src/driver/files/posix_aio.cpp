#include "driver/files/posix_aio.hpp"

#if defined(__linux__)

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "driver/files/file_facts.hpp"
#include "driver/readiness/readiness_record.hpp"

namespace upcall {
namespace {

constexpr duration suspend_max = std::chrono::milliseconds(1);
constexpr duration look_interval = std::chrono::milliseconds(100);

enum note : std::uint8_t { unknown, no_file, file, appended };

// ---- what belongs to the process ----------------------------------------------------------------

/// The C library's threads are gone in a child, and its records still count on them.
std::atomic<bool> threads_are_gone = false;
std::atomic<bool> threads_were_used = false;

void note_children() noexcept {
    static const int once =
        ::pthread_atfork(nullptr, nullptr, [] { threads_are_gone = threads_were_used.load(); });
    static_cast<void>(once);
}

void pass_on(int, siginfo_t* info, void*) {
    const int before = errno;
    aio_notices::arrived(info->si_value.sival_ptr);
    errno = before;
}

/// A real-time signal that the program does not use, from below: the drivers of descriptors take
/// theirs from above. Ours for the rest of the process, as one of them may always be late.
/// 0: none is free.
int find_signal() noexcept {
    for (int number = SIGRTMIN + 4; number < SIGRTMAX - 16; ++number) {
        struct sigaction now{};
        if (::sigaction(number, nullptr, &now) != 0 || now.sa_handler != SIG_DFL) continue;
        struct sigaction ours{};
        ours.sa_sigaction = pass_on;
        ours.sa_flags = SA_SIGINFO | SA_RESTART;
        ::sigfillset(&ours.sa_mask);
        if (::sigaction(number, &ours, nullptr) == 0) return number;
    }
    return 0;
}

int signal_number() noexcept {
    static const int number = find_signal();
    return number;
}

sigset_t signal_set() noexcept {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, signal_number());
    return set;
}

std::uint8_t& note_of(const io_operation& op) noexcept {
    return static_cast<readiness_record&>(*op.target).engine_note;
}

}  // namespace

std::string_view posix_aio_engine::name() const noexcept {
    switch (how_) {
        case notice::signal:
            return "posix_aio";
        case notice::thread:
            return "posix_aio_thread";
        case notice::suspend:
            break;
    }
    return "posix_aio_suspend";
}

std::int64_t posix_aio_engine::open() noexcept {
    note_children();
    if (threads_are_gone) return -ENOTSUP;
    if (::sysconf(_SC_ASYNCHRONOUS_IO) <= 0) return -ENOSYS;
    if (how_ == notice::suspend) return 0;
    if (const std::int64_t refused = notices_.open(owner_); refused < 0) return refused;
    return how_ == notice::signal ? open_signal() : 0;
}

std::int64_t posix_aio_engine::open_signal() noexcept {
    if (signal_number() == 0) return -EAGAIN;
    const sigset_t ours = signal_set();
    sigset_t before;
    if (const int error = ::pthread_sigmask(SIG_BLOCK, &ours, &before)) return -error;
    blocked_signal_ = ::sigismember(&before, signal_number()) == 0;
    signals_ = ::signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
    return signals_ < 0 ? -errno : 0;
}

posix_aio_engine::~posix_aio_engine() {
    if (signals_ >= 0) ::close(signals_);
    if (!blocked_signal_) return;
    // What still comes meets the handler.
    const sigset_t ours = signal_set();
    ::pthread_sigmask(SIG_UNBLOCK, &ours, nullptr);
}

// ---- starting -----------------------------------------------------------------------------------

bool posix_aio_engine::takes(const io_operation& op) noexcept {
    if (op.size == 0 || op.offset > INT64_MAX || (op.flags & op_vectored) || threads_are_gone)
        return false;
    std::uint8_t& known = note_of(op);
    if (known == unknown) {
        const file_facts facts = look_at_file(static_cast<int>(op.target->native));
        // On a pipe glibc would fall back to read(2), and wait.
        known = !facts.is_seekable_file ? no_file : facts.appends ? appended : file;
    }
    return known == file || (known == appended && op.kind == op_kind::file_read);
}

posix_aio_engine::request* posix_aio_engine::free_request() noexcept {
    if (in_flight_ == requests_max) return nullptr;
    const auto found = std::ranges::find(requests_, nullptr, &request::op);
    return found == requests_.end() ? nullptr : &*found;
}

void posix_aio_engine::prepare(request& made, io_operation& op) noexcept {
    made.native = {};
    made.native.aio_fildes = lanes_.take(*op.target);
    made.native.aio_buf = op.data;
    made.native.aio_nbytes = op.size;
    made.native.aio_offset = static_cast<off_t>(op.offset);
    sigevent& told = made.native.aio_sigevent;
    told.sigev_notify = SIGEV_NONE;
    if (how_ == notice::suspend) return;
    told.sigev_value.sival_ptr =
        notices_.value_for(static_cast<unsigned>(&made - requests_.data()));
    if (how_ == notice::signal) {
        told.sigev_notify = SIGEV_SIGNAL;
        told.sigev_signo = signal_number();
    } else {
        told.sigev_notify = SIGEV_THREAD;
        told.sigev_notify_function = [](sigval value) { aio_notices::arrived(value.sival_ptr); };
    }
}

/// 0, or a negated errno; -EAGAIN: no room.
std::int64_t posix_aio_engine::start(io_operation& op) noexcept {
    request* made = free_request();
    if (!made) return -EAGAIN;
    prepare(*made, op);
    threads_were_used.store(true, std::memory_order_relaxed);
    const bool reads = op.kind == op_kind::file_read;
    const int outcome = reads ? ::aio_read(&made->native) : ::aio_write(&made->native);
    if (outcome != 0) {
        const int refused = errno;
        lanes_.give_back(*op.target, made->native.aio_fildes);
        return -refused;
    }
    made->op = &op;
    if (in_flight_++ == 0) look_later();
    return 0;
}

/// For the next one; what it answered has been taken.
void posix_aio_engine::free(request& ended) noexcept {
    lanes_.give_back(*ended.op->target, ended.native.aio_fildes);
    ended.op = nullptr;
    --in_flight_;
}

file_engine::answer posix_aio_engine::submit(io_operation& op) noexcept {
    if (!takes(op)) return answer::not_mine;
    if (waiting_.empty()) {
        op.result = start(op);
        if (op.result == 0) return answer::taken;
        if (op.result != -EAGAIN) return answer::finished;
        // Not even one: without a thread, or memory for one.
        if (in_flight_ == 0) return answer::not_mine;
    }
    waiting_.push(op);
    return answer::taken;
}

// ---- waiting ------------------------------------------------------------------------------------

time_point posix_aio_engine::wait(time_point deadline) noexcept {
    if (in_flight_ == 0) return deadline;
    if (how_ != notice::suspend) return std::min(deadline, next_look_);
    const time_point now = clock::now();
    if (deadline <= now) return deadline;
    std::array<const aiocb*, requests_max> asked{};
    int count = 0;
    for (const request& each : requests_)
        if (each.op) asked[static_cast<std::size_t>(count++)] = &each.native;
    const auto most = std::min<duration>(suspend_max, deadline - now);
    const timespec at_most{0, static_cast<long>(most.count())};
    ::aio_suspend(asked.data(), count, &at_most);
    return time_point{};
}

void posix_aio_engine::read_signals() noexcept {
    signalfd_siginfo got[32];
    for (;;) {
        const ssize_t size = ::read(signals_, got, sizeof got);
        if (size < 0) return;
        const auto count = static_cast<std::size_t>(size) / sizeof got[0];
        for (std::size_t at = 0; at < count; ++at)
            notices_.pass(reinterpret_cast<void*>(got[at].ssi_ptr));
        if (size < static_cast<ssize_t>(sizeof got)) return;
    }
}

void posix_aio_engine::collect(operations& ended, bool told) noexcept {
    if (told) read_signals();
    if (how_ != notice::suspend)
        notices_.take([&](unsigned place) { look_at(requests_[place], ended); });
    if (in_flight_ > 0 && (how_ == notice::suspend || clock::now() >= next_look_)) {
        for (request& each : requests_) look_at(each, ended);
        look_later();
    }
    if (!waiting_.empty()) start_waiting(ended);
}

/// At all of them, told or not.
void posix_aio_engine::look_later() noexcept {
    const duration pause = how_ == notice::suspend ? suspend_max : look_interval;
    next_look_ = saturating_add(clock::now(), pause);
}

void posix_aio_engine::look_at(request& asked, operations& ended) noexcept {
    if (!asked.op) return;
    const int error = ::aio_error(&asked.native);
    if (error == EINPROGRESS) return;
    const ssize_t value = ::aio_return(&asked.native);
    asked.op->result = error ? -error : value;
    ended.push(*asked.op);
    free(asked);
}

void posix_aio_engine::start_waiting(operations& ended) noexcept {
    while (io_operation* op = waiting_.pop()) {
        op->result = start(*op);
        if (op->result == 0) continue;
        if (op->result == -EAGAIN && in_flight_ > 0) return waiting_.push_front(*op);
        ended.push(*op);
    }
}

// ---- taking back --------------------------------------------------------------------------------

/// Only what no thread has begun can be taken back. Its notice comes all the same, and finds
/// nothing.
bool posix_aio_engine::cancelled(request& asked) noexcept {
    if (::aio_cancel(asked.native.aio_fildes, &asked.native) != AIO_CANCELED) return false;
    ::aio_return(&asked.native);
    free(asked);
    return true;
}

bool posix_aio_engine::withdraw(io_operation& op) noexcept {
    if (waiting_.remove(op)) return true;
    const auto found = std::ranges::find(requests_, &op, &request::op);
    return found != requests_.end() && cancelled(*found);
}

void posix_aio_engine::withdraw_all(const handle_record& target, operations& withdrawn) noexcept {
    operations others;
    while (io_operation* op = waiting_.pop())
        (op->target == &target ? withdrawn : others).push(*op);
    while (io_operation* op = others.pop()) waiting_.push(*op);
    for (request& each : requests_) {
        io_operation* op = each.op;
        if (op && op->target == &target && cancelled(each)) withdrawn.push(*op);
    }
}

}  // namespace upcall

#endif
