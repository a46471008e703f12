// Signal-driven I/O (fcntl(2): O_ASYNC, F_SETSIG, F_SETOWN_EX): a real-time signal, sent to the
// loop's thread, says that something has changed on a descriptor.
//
// A signal is only a hint. It may be old and for a file that had the number before, it may be one
// of many for the same change, and it may be missing: then the kernel's queue was full, and a plain
// SIGIO says that much. So what a signal names is looked at with poll(2), and so is what has just
// been armed; and after SIGIO, everything. What poll then says is what is reported.
//
//     armed ──▶ looked at ──ready──▶ reported, and looked at again in the next wait
//                  ▲  └──not ready──▶ left to its signal
//                  └──signal, SIGIO, once a second──┘
//
// Some changes send no signal: a shutdown by this side, a Unix socket whose peer stops reading,
// room in the queue of a peer. Once a second what is armed is looked at, so that none of them is
// missed for ever. Descriptors that cannot send signals (eventfd, epoll, timerfd), that do so for
// somebody else already, or that are not ours to change, stay among those that every wait looks at.
//
// SIGIO is blocked on the loop's thread, and read here: not for programs that use it themselves.
#pragma once

#include <poll.h>

#include <vector>

#include "driver/readiness/poller.hpp"
#include "driver/readiness/thread_signal.hpp"

namespace upcall {

class sigio_poller final : public poller {
  public:
    sigio_poller() = default;
    ~sigio_poller() override;

    /// Also tries the whole way of a signal, with a pipe: EOPNOTSUPP if none arrives.
    std::int64_t open() noexcept override;
    std::string_view name() const noexcept override { return "sigio"; }
    bool edge_triggered() const noexcept override { return false; }
    std::int64_t add(watch& added) noexcept override;
    std::int64_t arm(watch& armed, std::uint32_t interest) noexcept override;
    void remove(watch& removed) noexcept override;
    std::span<const poll_event> wait(time_point deadline) noexcept override;

  private:
    std::int64_t try_a_pipe() noexcept;
    std::int64_t try_signal_from(int reading, int writing) noexcept;
    std::int64_t make_room(int fd) noexcept;
    bool send_signals(int fd) const noexcept;
    bool take_signals() noexcept;
    bool look_at_all() noexcept;
    bool look_at(watch& hinted) noexcept;
    void drop(watch& dropped) noexcept;
    int poll_for(time_point deadline) noexcept;
    std::span<const poll_event> gather() noexcept;

    thread_signal signal_;
    int signals_ = -1;  // signalfd(2)
    // What a wait looks at, side by side; the first two are the signals and the wake signal.
    std::vector<pollfd> native_;
    std::vector<watch*> watches_;
    std::vector<poll_event> events_;
    /// By descriptor number: who is told by a signal, last.
    std::vector<watch*> signalled_;
    std::size_t added_ = 0;
    std::size_t armed_ = 0;
    time_point next_look_{};
};

}  // namespace upcall
