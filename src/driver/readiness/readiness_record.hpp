// What the readiness adapter keeps for each handle.
#pragma once

#include <upcall/base/list.hpp>

#include "driver/posix/posix_driver.hpp"
#include "driver/readiness/poller.hpp"

namespace upcall {

struct in_drain;
struct in_starved;
struct in_retry;

struct readiness_record : posix_record,
                          list_hook<in_drain>,
                          list_hook<in_starved>,
                          list_hook<in_retry> {
    using drain_hook = list_hook<in_drain>;
    using starved_hook = list_hook<in_starved>;
    using retry_hook = list_hook<in_retry>;
    using operations = queue<io_operation, &io_operation::driver_next>;

    watch watched;
    /// Operations that wait, first in, first out; only the first of a direction is ever tried.
    operations reading;
    operations writing;
    /// Those of kind `poll`, which wait side by side.
    operations polling;
    /// Directions in which a call is worth a try: cleared when one would have blocked.
    std::uint32_t hints = 0;
    /// Something beside data came in: a short read does not mean that there is no more.
    bool irregular = false;
    /// The poller tells when it is ready. If not (a regular file), its operations go to the pool,
    /// one at a time for each direction.
    bool pollable = false;
    /// Not pollable: the directions that have an operation in the pool.
    std::uint32_t in_pool = 0;
    /// The first operation in `writing` is a connect that the kernel is working on.
    bool connecting = false;
    /// What the file engine knows of the file; 0: nothing yet.
    std::uint8_t engine_note = 0;
    /// `watched.fd` is a copy made for the poller, closed with the record.
    bool has_copy = false;
    /// See poll_event; 0: none, or told by now.
    int taken_error = 0;
    enum class protocol : std::uint8_t { unknown, tcp, other };
    protocol speaks = protocol::unknown;

    /// In the driver's list of those with more to do after one turn.
    bool draining() const noexcept { return drain_hook::linked(); }
    /// In the list of those whose first reader waits for a buffer.
    bool starved() const noexcept { return starved_hook::linked(); }
    /// In the list of those whose first writer waits for what no event tells.
    bool retrying() const noexcept { return retry_hook::linked(); }
};

}  // namespace upcall
