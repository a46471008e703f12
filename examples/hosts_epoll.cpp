// The other way round: a library that has an epoll set of its own, and calls to be made when
// something in it is ready, lives inside an upcall loop. Its set is one descriptor to wait for.
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <upcall/upcall.hpp>
#include <vector>

using namespace upcall;

namespace {

int number(const descriptor& of) { return static_cast<int>(of.get()); }

/// The library: timers that go off at different times, all in one set.
class foreign_library {
  public:
    static constexpr int timers = 20;

    bool open() {
        for (int which = 1; which <= timers; ++which) {
            descriptor timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
            const itimerspec once{.it_interval = {.tv_sec = 0, .tv_nsec = 0},
                                  .it_value = {.tv_sec = 0, .tv_nsec = which * 1'000'000L}};
            epoll_event wanted{};
            wanted.events = EPOLLIN;
            wanted.data.fd = number(timer);
            if (::timerfd_settime(number(timer), 0, &once, nullptr) != 0 ||
                ::epoll_ctl(number(set_), EPOLL_CTL_ADD, number(timer), &wanted) != 0)
                return false;
            timers_.push_back(std::move(timer));
        }
        return true;
    }

    int descriptor_to_watch() const { return number(set_); }
    bool done() const { return fired_ == timers; }
    int fired() const { return fired_; }

    /// What it wants to be called for when its set is ready. Never waits.
    void work() {
        std::array<epoll_event, 8> found{};
        const int count =
            ::epoll_wait(number(set_), found.data(), static_cast<int>(found.size()), 0);
        for (int at = 0; at < count; ++at) {
            std::uint64_t times = 0;
            const int timer = found[static_cast<std::size_t>(at)].data.fd;
            if (::read(timer, &times, sizeof times) == sizeof times) ++fired_;
        }
    }

  private:
    descriptor set_{::epoll_create1(EPOLL_CLOEXEC)};
    std::vector<descriptor> timers_;
    int fired_ = 0;
};

task<> drive(foreign_library& library) {
    auto set = watched::start(library.descriptor_to_watch()).value();
    while (!library.done()) {
        const auto ready = co_await set.readable();
        if (!ready) co_return;  // cancelled, or asked to stop
        library.work();
    }
}

task<> tick(int& ticks) {
    for (; ticks < 10; ++ticks) {
        const auto slept = co_await sleep(std::chrono::milliseconds(1));
        if (!slept) co_return;
    }
}

task<int> host() {
    foreign_library library;
    if (!library.open()) co_return 1;
    int ticks = 0;
    co_await when_all(drive(library), tick(ticks));
    std::printf("%d timers in the guest, %d ticks of the host\n", library.fired(), ticks);
    co_return library.done() ? 0 : 1;
}

}  // namespace

int main() { return run(host()); }
