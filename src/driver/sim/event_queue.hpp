// What is going to happen, in the order in which it will.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <upcall/base/clock.hpp>

namespace upcall::sim {

/// Something that events happen to. Owned by shared pointers: an event keeps its target.
class event_target {
  public:
    virtual ~event_target() = default;
    /// `what` and `argument` mean what the target meant when it planned the event.
    virtual void fire(std::uint32_t what, std::uint64_t argument) = 0;
};

struct event {
    time_point at{};
    /// Drawn: decides between events of the same moment.
    std::uint32_t tie = 0;
    std::uint32_t what = 0;
    std::uint64_t sequence = 0;
    std::uint64_t argument = 0;
    std::shared_ptr<event_target> target;
};

/// A binary heap by moment, tie, sequence: a total order, so the heap's own habits do not show.
class event_queue {
  public:
    void push(event planned);
    event pop();
    bool empty() const noexcept { return heap_.empty(); }
    /// `never` when empty.
    time_point next() const noexcept { return heap_.empty() ? never : heap_.front().at; }

  private:
    std::vector<event> heap_;
    std::uint64_t sequence_ = 0;
};

}  // namespace upcall::sim
