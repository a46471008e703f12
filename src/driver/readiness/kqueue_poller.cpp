#include "driver/readiness/kqueue_poller.hpp"

#ifdef UPCALL_HAS_KQUEUE

// The first before the others: some systems have it that way.
#include <sys/types.h>
// clang-format off
#include <sys/event.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
// clang-format on

#include <algorithm>
#include <cerrno>
#include <new>

#include <upcall/base/fatal.hpp>

#include "driver/posix/wait_time.hpp"

namespace upcall {
namespace {

using native = struct ::kevent;

constexpr std::size_t watches_per_wait = 128;
// Each may be told of twice, and a change that fails takes the place of an event.
constexpr std::size_t changes_per_wait = 2 * watches_per_wait;
constexpr std::size_t events_per_wait = changes_per_wait;

#ifdef EVFILT_USER
constexpr unsigned wake_number = 1;
#endif

// Types of members differ between systems, and so does what kevent counts in.
template <class Filter>
native change_of(unsigned number, Filter filter, unsigned flags, unsigned details = 0) noexcept {
    native made{};
    made.ident = static_cast<decltype(made.ident)>(number);
    made.filter = static_cast<decltype(made.filter)>(filter);
    made.flags = static_cast<decltype(made.flags)>(flags);
    made.fflags = static_cast<decltype(made.fflags)>(details);
    return made;
}

native change_of(const watch& of, std::uint32_t direction, unsigned flags) noexcept {
    const auto number = static_cast<unsigned>(of.fd);
    if (direction == ready_to_read) return change_of(number, EVFILT_READ, flags);
    return change_of(number, EVFILT_WRITE, flags);
}

template <class Count>
int call_host(int (*host)(int, const native*, Count, native*, Count, const timespec*), int queue,
              std::span<const native> changes, std::span<native> events,
              const timespec* time) noexcept {
    return host(queue, changes.data(), static_cast<Count>(changes.size()), events.data(),
                static_cast<Count>(events.size()), time);
}

/// What libkqueue puts into an event it got by SO_ERROR, which the kernel forgets thereby.
int taken_error(const native& event) noexcept {
#ifdef LIBKQUEUE
    if (event.flags & EV_EOF) return static_cast<int>(event.fflags);
#endif
    static_cast<void>(event);
    return 0;
}

}  // namespace

kqueue_poller::kqueue_poller() noexcept = default;

kqueue_poller::~kqueue_poller() {
    if (queue_ >= 0) ::close(queue_);
}

std::int64_t kqueue_poller::open() noexcept {
    if (const std::int64_t refused = make_room(0); refused < 0) return refused;
    queue_ = ::kqueue();
    if (queue_ < 0) return -errno;
    ::fcntl(queue_, F_SETFD, FD_CLOEXEC);
#ifdef EVFILT_USER
    return change_now(change_of(wake_number, EVFILT_USER, EV_ADD | EV_CLEAR));
#else
    if (const std::int64_t refused = wake_.open(); refused < 0) return refused;
    return change_now(change_of(static_cast<unsigned>(wake_.fd()), EVFILT_READ, EV_ADD));
#endif
}

void kqueue_poller::wake() noexcept {
    if (raised_.exchange(true, std::memory_order_acq_rel)) return;
#ifdef EVFILT_USER
    const native trigger = change_of(wake_number, EVFILT_USER, 0, NOTE_TRIGGER);
    std::int64_t refused = 0;
    do refused = change_now(trigger);
    while (refused == -EINTR);
    if (refused < 0) raised_.store(false, std::memory_order_release);  // the next wake tries again
#else
    wake_.raise();
#endif
}

int kqueue_poller::call(std::span<const native> changes, std::span<native> events,
                        const timespec* time) const noexcept {
    return call_host(&::kevent, queue_, changes, events, time);
}

/// One change alone, without a look at events: 0 or a negated errno.
std::int64_t kqueue_poller::change_now(const native& change) const noexcept {
    const timespec no_time{};
    return call({&change, 1}, {}, &no_time) < 0 ? -errno : 0;
}

// ---- who is watched -----------------------------------------------------------------------------

/// For one more, of that number, so that nothing else can fail.
std::int64_t kqueue_poller::make_room(int fd) noexcept {
    const auto number = static_cast<std::size_t>(fd);
    try {
        if (number >= watches_.size()) watches_.resize(std::max(number + 1, 2 * watches_.size()));
        if (added_ >= pending_.capacity()) pending_.reserve(std::max<std::size_t>(64, 2 * added_));
        changes_.reserve(changes_per_wait);
        told_.resize(events_per_wait);
        events_.reserve(events_per_wait + changes_per_wait);
    } catch (const std::bad_alloc&) {
        return -ENOMEM;
    }
    return 0;
}

/// Whether a descriptor that is no socket can be waited for. -EPERM: it never blocks for long.
/// Files are left alone, as kqueue tells where they end and not whether a call would block.
std::int64_t kqueue_poller::try_kind(int fd) const noexcept {
    struct stat about{};
    if (::fstat(fd, &about) != 0) return -errno;
    if (S_ISFIFO(about.st_mode) || S_ISSOCK(about.st_mode)) return 0;
    if (S_ISREG(about.st_mode) || S_ISDIR(about.st_mode)) return -EPERM;
    const auto number = static_cast<unsigned>(fd);
    const std::int64_t refused = change_now(change_of(number, EVFILT_READ, EV_ADD));
    switch (refused) {
        case 0:
            change_now(change_of(number, EVFILT_READ, EV_DELETE));
            return 0;
        case -EBADF:
        case -ENOMEM:
        case -ENOSPC:
            return refused;
        default:
            return -EPERM;
    }
}

std::int64_t kqueue_poller::add(watch& added) noexcept {
    if (const std::int64_t refused = make_room(added.fd); refused < 0) return refused;
    watch*& place = watches_[static_cast<std::size_t>(added.fd)];
    // The queue has one filter for each number and direction.
    if (place) return -EEXIST;
    if (!added.is_socket)
        if (const std::int64_t refused = try_kind(added.fd); refused < 0) return refused;
    place = &added;
    ++added_;
    added.position = 0;
    return 0;
}

std::int64_t kqueue_poller::arm(watch& armed, std::uint32_t interest) noexcept {
    const bool is_renewed = armed.borrowed && interest;
    if (interest == armed.interest && !is_renewed) return 0;
    armed.interest = interest;
    note(armed);
    return 0;
}

void kqueue_poller::remove(watch& removed) noexcept {
    forget(removed);
    watches_[static_cast<std::size_t>(removed.fd)] = nullptr;
    --added_;
    // At once: the number may be another's before the next wait.
    for (const std::uint32_t direction : {ready_to_read, ready_to_write})
        if (removed.known & direction) change_now(change_of(removed, direction, EV_DELETE));
    removed.known = removed.interest = 0;
}

// ---- what the kernel is to know -----------------------------------------------------------------

void kqueue_poller::note(watch& changed) noexcept {
    if (changed.position != 0) return;
    pending_.push_back(&changed);
    changed.position = static_cast<std::uint32_t>(pending_.size());
}

void kqueue_poller::forget(watch& changed) noexcept {
    if (changed.position == 0) return;
    pending_[changed.position - 1] = pending_.back();
    pending_.back()->position = changed.position;
    pending_.pop_back();
    changed.position = 0;
}

void kqueue_poller::collect_changes() noexcept {
    changes_.clear();
    const std::size_t count = std::min(pending_.size(), watches_per_wait);
    for (std::size_t at = 0; at < count; ++at) {
        watch& each = *pending_[at];
        each.position = 0;
        if (each.borrowed) {
            renew(each);
            continue;
        }
        for (const std::uint32_t direction : {ready_to_read, ready_to_write}) {
            if (((each.interest ^ each.known) & direction) == 0) continue;
            const bool wanted = each.interest & direction;
            changes_.push_back(change_of(each, direction, wanted ? EV_ADD : EV_DELETE));
        }
        each.known = each.interest;
    }
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(count));
    for (std::size_t at = 0; at < pending_.size(); ++at)
        pending_[at]->position = static_cast<std::uint32_t>(at + 1);
}

/// Its filters may be gone, or those of a file that is closed. What cannot be waited for now is
/// told as ready: the call that follows says what is wrong with it.
void kqueue_poller::renew(watch& borrowed) noexcept {
    for (const std::uint32_t direction : {ready_to_read, ready_to_write}) {
        if (borrowed.known & direction) change_now(change_of(borrowed, direction, EV_DELETE));
        borrowed.known &= ~direction;
        if (!(borrowed.interest & direction)) continue;
        if (change_now(change_of(borrowed, direction, EV_ADD)) == 0)
            borrowed.known |= direction;
        else
            events_.push_back({.key = borrowed.key, .ready = direction, .taken_error = 0});
    }
}

/// Foreign ones are renewed, whether or not they differ.
bool kqueue_poller::has_changes() const noexcept {
    return std::ranges::any_of(pending_, [](const watch* each) {
        return each->borrowed ? (each->interest | each->known) != 0 : each->interest != each->known;
    });
}

// ---- waiting ------------------------------------------------------------------------------------

int kqueue_poller::descriptor() const noexcept {
#ifdef LIBKQUEUE
    return -1;
#else
    return queue_;
#endif
}

std::span<const poll_event> kqueue_poller::wait(time_point deadline) noexcept {
    events_.clear();
    collect_changes();
    if (!events_.empty() || !pending_.empty()) deadline = time_point{};
    const wait_time time(deadline);
    const int got = call(changes_, told_, time.get());
    // Interrupted, it has taken the changes all the same.
    if (got < 0 && errno != EINTR) fatal("kevent: errno %d", errno);
    for (int at = 0; at < got; ++at) file(told_[static_cast<std::size_t>(at)]);
    return events_;
}

void kqueue_poller::file(const native& event) noexcept {
#ifdef EVFILT_USER
    const bool is_wake = event.filter == EVFILT_USER;
#else
    const bool is_wake = event.ident == static_cast<decltype(event.ident)>(wake_.fd());
    if (is_wake) wake_.lower();
#endif
    if (is_wake) {
        raised_.exchange(false, std::memory_order_acq_rel);
        return;
    }
    const auto number = static_cast<std::size_t>(event.ident);
    watch* const of = number < watches_.size() ? watches_[number] : nullptr;
    if (!of) return;
    const std::uint32_t direction = event.filter == EVFILT_READ ? ready_to_read : ready_to_write;
    if (event.flags & EV_ERROR) {
        // One that was to be deleted was gone.
        if (!(of->known & direction)) return;
        // The call that is made now says what is wrong; if it has to wait, this is tried again.
        of->known &= ~direction;
        note(*of);
    }
    events_.push_back({.key = of->key, .ready = direction, .taken_error = taken_error(event)});
}

}  // namespace upcall

#endif
