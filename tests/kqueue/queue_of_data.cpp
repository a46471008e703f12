#include "kqueue/queue_of_data.hpp"

#include <fcntl.h>

#include <cerrno>
#include <utility>

namespace upcall::test {

queue_of_data& queue_of_data::of_this_test() {
    static queue_of_data one;
    return one;
}

/// 0, or an errno.
int queue_of_data::change(const struct ::kevent& wanted) {
    const filter named{wanted.ident, wanted.filter};
    if (wanted.flags & EV_DELETE) return filters.erase(named) ? 0 : ENOENT;
    if (wanted.flags & EV_ADD) {
        if (const auto why = refused.find(wanted.ident); why != refused.end()) return why->second;
        filters.insert(named);
    }
    if (wanted.fflags & NOTE_TRIGGER) triggered = true;
    return 0;
}

int queue_of_data::answer(const call& made, struct ::kevent* events, std::size_t room) {
    std::size_t count = 0;
    for (const struct ::kevent& each : made.changes) {
        const int error = change(each);
        if (error == 0) continue;
        if (count == room) {
            errno = error;
            return -1;
        }
        events[count] = each;
        events[count].flags = EV_ERROR;
        events[count++].data = error;
    }
    if (count > 0) return static_cast<int>(count);
    if (made.may_wait && std::exchange(interrupts, false)) {
        errno = EINTR;
        return -1;
    }
    const auto tell = [&](std::uintptr_t number, std::uint32_t which) {
        if (count == room) return;
        events[count] = {};
        events[count].ident = number;
        events[count++].filter = which;
    };
    for (const filter& each : filters)
        if (ready.contains(each)) tell(each.first, each.second);
    if (triggered && room > 0) {
        triggered = false;
        tell(1, EVFILT_USER);
    }
    return static_cast<int>(count);
}

}  // namespace upcall::test

extern "C" int kqueue(void) { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

extern "C" int kevent(int, const struct kevent* changes, std::size_t change_count,
                      struct kevent* events, std::size_t event_count, const timespec* time) {
    auto& queue = upcall::test::queue_of_data::of_this_test();
    queue.calls.push_back({.changes = {changes, changes + change_count},
                           .may_wait = event_count > 0,
                           .time = time ? std::optional(*time) : std::nullopt});
    return queue.answer(queue.calls.back(), events, event_count);
}
