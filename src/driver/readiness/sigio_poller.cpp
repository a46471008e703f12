#include "driver/readiness/sigio_poller.hpp"

#if defined(__linux__)

#include <fcntl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>

#include <upcall/base/fatal.hpp>

#include "driver/posix/wait_time.hpp"
#include "driver/readiness/poll_events.hpp"

namespace upcall {
namespace {

constexpr std::size_t own_entries = 2;
constexpr std::size_t signals_per_read = 64;
constexpr duration look_interval = std::chrono::seconds(1);

void stop_signals(int fd) noexcept {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || !(flags & O_ASYNC)) return;
    ::fcntl(fd, F_SETFL, flags & ~O_ASYNC);
    ::fcntl(fd, F_SETSIG, 0);
}

}  // namespace

sigio_poller::~sigio_poller() {
    if (signals_ >= 0) ::close(signals_);
}

std::int64_t sigio_poller::open() noexcept {
    if (const std::int64_t refused = wake_.open(); refused < 0) return refused;
    if (const std::int64_t refused = signal_.claim(); refused < 0) return refused;
    signals_ = ::signalfd(-1, &signal_.set(), SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals_ < 0) return -errno;
    if (const std::int64_t refused = make_room(0); refused < 0) return refused;
    native_.push_back({.fd = signals_, .events = POLLIN, .revents = 0});
    native_.push_back({.fd = wake_.fd(), .events = POLLIN, .revents = 0});
    watches_.assign(own_entries, nullptr);
    return try_a_pipe();
}

std::int64_t sigio_poller::try_a_pipe() noexcept {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return -errno;
    const std::int64_t outcome = try_signal_from(ends[0], ends[1]);
    ::close(ends[0]);
    ::close(ends[1]);
    return outcome;
}

std::int64_t sigio_poller::try_signal_from(int reading, int writing) noexcept {
    if (!send_signals(reading)) return -EOPNOTSUPP;
    if (::write(writing, "u", 1) != 1) return -errno;
    // It was sent before write returned. Under a full queue it is SIGIO, which will do as well.
    signalfd_siginfo got{};
    if (::read(signals_, &got, sizeof got) != sizeof got) return -EOPNOTSUPP;
    const auto number = static_cast<int>(got.ssi_signo);
    if (number == SIGIO) return 0;
    return number == signal_.number() && got.ssi_fd == reading ? 0 : -EOPNOTSUPP;
}

/// False: the descriptor cannot, or sends them to somebody already.
bool sigio_poller::send_signals(int fd) const noexcept {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || (flags & O_ASYNC)) return false;
    const f_owner_ex self{F_OWNER_TID, signal_.thread()};
    if (::fcntl(fd, F_SETOWN_EX, &self) != 0) return false;
    if (::fcntl(fd, F_SETSIG, signal_.number()) != 0) return false;
    if (::fcntl(fd, F_SETFL, flags | O_ASYNC) != 0) return false;
    // Files without signals take the flag for granted, and do not keep it.
    const int now = ::fcntl(fd, F_GETFL);
    return now >= 0 && (now & O_ASYNC);
}

// ---- who is watched -----------------------------------------------------------------------------

/// For one more, of that number, so that nothing else can fail.
std::int64_t sigio_poller::make_room(int fd) noexcept {
    const auto number = static_cast<std::size_t>(fd);
    const std::size_t wanted = own_entries + added_ + 1;
    try {
        if (number >= signalled_.size())
            signalled_.resize(std::max(number + 1, 2 * signalled_.size()));
        if (wanted > std::min({native_.capacity(), watches_.capacity(), events_.capacity()})) {
            const std::size_t room = std::max<std::size_t>(64, 2 * wanted);
            native_.reserve(room);
            watches_.reserve(room);
            events_.reserve(room);
        }
    } catch (const std::bad_alloc&) {
        return -ENOMEM;
    }
    return 0;
}

std::int64_t sigio_poller::add(watch& added) noexcept {
    if (const std::int64_t refused = make_room(added.fd); refused < 0) return refused;
    ++added_;
    added.position = 0;
    added.by_signal = !added.borrowed && send_signals(added.fd);
    if (added.by_signal) signalled_[static_cast<std::size_t>(added.fd)] = &added;
    return 0;
}

std::int64_t sigio_poller::arm(watch& armed, std::uint32_t interest) noexcept {
    if (interest == armed.interest) return 0;
    armed_ += interest && !armed.interest;
    armed_ -= !interest && armed.interest;
    armed.interest = interest;
    // What it waits for may have come before, with a signal that nobody was interested in.
    if (interest)
        look_at(armed);
    else
        drop(armed);
    return 0;
}

void sigio_poller::remove(watch& removed) noexcept {
    arm(removed, 0);
    --added_;
    if (!removed.by_signal) return;
    // Another's by now: this one was closed behind our back.
    watch*& last = signalled_[static_cast<std::size_t>(removed.fd)];
    if (last != &removed) return;
    last = nullptr;
    stop_signals(removed.fd);
}

// ---- what is looked at --------------------------------------------------------------------------

/// True: it is new among them.
bool sigio_poller::look_at(watch& hinted) noexcept {
    const bool is_new = hinted.position == 0;
    if (is_new) {
        hinted.position = static_cast<std::uint32_t>(native_.size());
        native_.push_back({.fd = hinted.fd, .events = 0, .revents = 0});
        watches_.push_back(&hinted);
    }
    native_[hinted.position].events = events_of(hinted.interest);
    return is_new;
}

void sigio_poller::drop(watch& dropped) noexcept {
    if (dropped.position == 0) return;
    native_[dropped.position] = native_.back();
    watches_[dropped.position] = watches_.back();
    watches_[dropped.position]->position = dropped.position;
    native_.pop_back();
    watches_.pop_back();
    dropped.position = 0;
}

bool sigio_poller::look_at_all() noexcept {
    bool some = false;
    for (watch* each : signalled_)
        if (each && each->interest) some |= look_at(*each);
    next_look_ = clock::now() + look_interval;
    return some;
}

/// Reads what has come, and marks what is to be looked at. True: there is something new.
bool sigio_poller::take_signals() noexcept {
    signalfd_siginfo got[signals_per_read];
    const ssize_t size = ::read(signals_, got, sizeof got);
    if (size < 0) return false;
    bool some = false;
    const auto count = static_cast<std::size_t>(size) / sizeof got[0];
    for (std::size_t at = 0; at < count; ++at) {
        if (static_cast<int>(got[at].ssi_signo) == SIGIO) {
            thread_signal::note_overflow();
            continue;
        }
        const auto number = static_cast<std::size_t>(got[at].ssi_fd);
        watch* hinted = number < signalled_.size() ? signalled_[number] : nullptr;
        // Nobody's any more, or nobody waits: arming it will look.
        if (hinted && hinted->interest) some |= look_at(*hinted);
    }
    return some;
}

int sigio_poller::poll_for(time_point deadline) noexcept {
    const wait_time time(deadline);
    const int left = ::ppoll(native_.data(), native_.size(), time.get(), nullptr);
    if (left < 0 && errno != EINTR && errno != ENOMEM) fatal("ppoll: errno %d", errno);
    return left;
}

std::span<const poll_event> sigio_poller::wait(time_point deadline) noexcept {
    if (signal_.overflowed()) look_at_all();
    const bool all_seen = native_.size() == own_entries + armed_;
    if (poll_for(all_seen ? deadline : std::min(deadline, next_look_)) < 0) return {};
    if (native_[1].revents) wake_.lower();
    bool look_again = native_[0].revents && take_signals();
    if (signal_.overflowed() || (!all_seen && clock::now() >= next_look_))
        look_again |= look_at_all();
    if (look_again && poll_for(time_point{}) < 0) return {};
    return gather();
}

/// What is ready, and forgets what is not and will be told by a signal.
std::span<const poll_event> sigio_poller::gather() noexcept {
    events_.clear();
    // From the end: what is dropped is replaced by the last.
    for (std::size_t at = native_.size(); at-- > own_entries;) {
        watch& seen = *watches_[at];
        if (native_[at].revents)
            events_.push_back({seen.key, ready_of(native_[at].revents)});
        else if (seen.by_signal)
            drop(seen);
    }
    return events_;
}

}  // namespace upcall

#endif
