// A ring inside another event loop, which polls the ring's descriptor.
//
// What the kernel brings for a ring with IORING_SETUP_DEFER_TASKRUN waits until its owner enters,
// and does not make its descriptor readable. So an embedded ring has IORING_SETUP_COOP_TASKRUN
// instead: the kernel runs completions whenever the owner is inside it, as while it waits for
// descriptors, which it interrupts for that (task_work_add with TWA_SIGNAL; EINTR), and the
// descriptor is readable while there are completions.
#include <algorithm>

#include "driver/uring/uring_driver.hpp"

namespace upcall {

/// What the next `poll` has to go on with, whatever the kernel brings.
bool uring_driver::has_unfinished() const noexcept {
    return !wake_armed_ || !parked_.empty() || !due_.empty() || !cancels_waiting_.empty();
}

/// When the kernel is to be asked again for the end of what was closed.
time_point uring_driver::next_question() noexcept {
    time_point next = never;
    closing_.for_each([&](const closing_note& note) {
        if (note.of) next = std::min(next, note.ask_again);
    });
    return next;
}

time_point uring_driver::poll_again_by() noexcept {
    if (starved_retry_ || can_retry_dry() || has_unfinished() || ring_.has_work() ||
        ring_.has_completions())
        return time_point::min();
    return next_question();
}

}  // namespace upcall
