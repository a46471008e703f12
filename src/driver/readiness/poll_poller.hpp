// poll(2): any POSIX system, any descriptor number; each wait costs in proportion to the
// descriptors that something waits for.
#pragma once

#include <poll.h>

#include <vector>

#include "driver/readiness/poller.hpp"

namespace upcall {

class poll_poller final : public poller {
  public:
    std::int64_t open() noexcept override;
    std::string_view name() const noexcept override { return "poll"; }
    bool edge_triggered() const noexcept override { return false; }
    std::int64_t add(watch& added) noexcept override;
    std::int64_t arm(watch& armed, std::uint32_t interest) noexcept override;
    void remove(watch& removed) noexcept override;
    std::span<const poll_event> wait(time_point deadline) noexcept override;

  private:
    void drop(watch& dropped) noexcept;

    // Only what is armed stands here, side by side; the first entry is the wake signal.
    std::vector<pollfd> native_;
    std::vector<watch*> watches_;
    std::vector<poll_event> events_;
    std::size_t added_ = 0;
};

}  // namespace upcall
