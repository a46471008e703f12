// A kqueue whose filters, readiness and refusals are plain data: what the poller hands over, and
// when, can be looked at, without a kernel that has kqueue.
#pragma once

#include <sys/event.h>

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace upcall::test {

struct queue_of_data {
    using filter = std::pair<std::uintptr_t, std::uint32_t>;

    struct call {
        std::vector<struct ::kevent> changes;
        /// Whether it had room for events, so that it might wait.
        bool may_wait = false;
        /// None: without end.
        std::optional<timespec> time;

        bool only_looks() const { return time && time->tv_sec == 0 && time->tv_nsec == 0; }
    };

    static queue_of_data& of_this_test();

    int answer(const call& made, struct ::kevent* events, std::size_t room);

    std::vector<call> calls;
    std::set<filter> filters;
    std::set<filter> ready;
    /// By descriptor: what adding a filter fails with.
    std::map<std::uintptr_t, int> refused;
    bool triggered = false;
    /// The next call that may wait takes its changes and is interrupted.
    bool interrupts = false;

    /// What close(2) does: the filters of the descriptor are gone, and nobody is told.
    void close(std::uintptr_t number) {
        std::erase_if(filters, [&](const filter& each) { return each.first == number; });
    }

  private:
    int change(const struct ::kevent& wanted);
};

}  // namespace upcall::test
