// epoll(7), edge-triggered: each descriptor is registered once and no system call is made for it
// again until it goes.
#pragma once

#include <sys/epoll.h>

#include <memory>
#include <vector>

#include "driver/readiness/poller.hpp"

namespace upcall {

class epoll_poller final : public poller {
  public:
    /// `batch`: the most events that one wait takes from the kernel.
    explicit epoll_poller(std::size_t batch = 256) : native_(batch), events_(batch) {}
    ~epoll_poller() override;

    std::int64_t open() noexcept override;
    std::string_view name() const noexcept override { return "epoll"; }
    bool edge_triggered() const noexcept override { return true; }
    std::int64_t add(watch& added) noexcept override;
    std::int64_t arm(watch& armed, std::uint32_t interest) noexcept override;
    void remove(watch& removed) noexcept override;
    std::span<const poll_event> wait(time_point deadline) noexcept override;
    int descriptor() const noexcept override { return epoll_; }

  private:
    std::int64_t register_watch(watch& added) noexcept;
    int wait_for_events(time_point deadline) noexcept;

    int epoll_ = -1;
    bool has_pwait2_ = true;
    /// By descriptor number: who was registered last, and has not been removed. The owner of a
    /// foreign descriptor may close it, and its number then be another's of ours.
    std::vector<const watch*> registered_;
    std::vector<epoll_event> native_;
    std::vector<poll_event> events_;
};

}  // namespace upcall
