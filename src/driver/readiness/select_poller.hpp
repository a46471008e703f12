// select(2): the oldest interface, for descriptors whose number is below FD_SETSIZE (1024).
//
// Others are refused with EMFILE when a handle is made of them, as a full table of descriptors
// would be; select itself would write past its sets.
#pragma once

#include <sys/select.h>

#include <array>

#include "driver/readiness/poller.hpp"

namespace upcall {

class select_poller final : public poller {
  public:
    std::int64_t open() noexcept override;
    std::string_view name() const noexcept override { return "select"; }
    bool edge_triggered() const noexcept override { return false; }
    bool can_watch(int fd) const noexcept override { return fd >= 0 && fd < FD_SETSIZE; }
    std::int64_t add(watch& added) noexcept override;
    std::int64_t arm(watch& armed, std::uint32_t interest) noexcept override;
    void remove(watch& removed) noexcept override;
    std::span<const poll_event> wait(time_point deadline) noexcept override;

  private:
    std::span<const poll_event> find_closed() noexcept;

    fd_set reading_{};
    fd_set writing_{};
    int count_ = 0;  // one more than the highest descriptor that may be in a set
    std::array<watch*, FD_SETSIZE> watches_{};
    std::array<poll_event, FD_SETSIZE> events_;
};

}  // namespace upcall
