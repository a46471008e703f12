// kqueue(2) of the BSDs and macOS; on Linux by libkqueue, where that is.
//
// What is waited for changes far more often than the kernel has to know: a connection that was read
// from, answered and read from again is armed as before when the loop waits the next time. So
// arming is only noted, and each wait hands over what differs from what the kernel knows, in the
// call that waits.
//
//     arm ──▶ pending ──wait: what is wanted and not known is added, the reverse deleted──▶ events
//
// Level-triggered: a filter that is there tells in every wait what is so. Only directions that
// something waits for have one.
//
// Foreign descriptors are handed over by themselves, each time that something waits: the owner may
// have closed it, which takes the filter along without a word, and opened another of that number.
#pragma once

#include <atomic>
#include <vector>

#include "driver/readiness/poller.hpp"

// <sys/event.h> stays in one file.
struct kevent;
struct timespec;

namespace upcall {

class kqueue_poller final : public poller {
  public:
    kqueue_poller() noexcept;
    ~kqueue_poller() override;

    std::int64_t open() noexcept override;
    std::string_view name() const noexcept override { return "kqueue"; }
    bool edge_triggered() const noexcept override { return false; }
    std::int64_t add(watch& added) noexcept override;
    std::int64_t arm(watch& armed, std::uint32_t interest) noexcept override;
    void remove(watch& removed) noexcept override;
    std::span<const poll_event> wait(time_point deadline) noexcept override;
    /// The queue; none with libkqueue, whose descriptor of a queue is the end of a pipe.
    int descriptor() const noexcept override;
    bool has_changes() const noexcept override;
    /// By EVFILT_USER, where the system has it.
    void wake() noexcept override;

  private:
    using native = struct ::kevent;

    int call(std::span<const native> changes, std::span<native> events,
             const ::timespec* time) const noexcept;
    std::int64_t change_now(const native& change) const noexcept;
    std::int64_t make_room(int fd) noexcept;
    std::int64_t try_kind(int fd) const noexcept;
    void note(watch& changed) noexcept;
    void forget(watch& changed) noexcept;
    void collect_changes() noexcept;
    void renew(watch& borrowed) noexcept;
    void file(const native& event) noexcept;

    int queue_ = -1;
    std::atomic<bool> raised_ = false;
    std::size_t added_ = 0;
    /// By descriptor number.
    std::vector<watch*> watches_;
    /// Those whose interest may differ from what the kernel knows, oldest first.
    std::vector<watch*> pending_;
    std::vector<native> changes_;
    std::vector<native> told_;
    std::vector<poll_event> events_;
};

}  // namespace upcall
