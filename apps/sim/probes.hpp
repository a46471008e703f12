// Rare states that the suites are there to reach: a run of many seeds that never did tests less
// than it seems to.
#pragma once

#include <cstdint>
#include <string_view>

namespace upcall_sim {

enum class probe : std::uint8_t {
    torn_log_recovered,
    snapshot_taken_over,
    sync_failed,
    ack_repeated,
    log_restarted,
    connection_broken,
    answer_timed_out,
    cancel_lost_to_value,
    cancel_won,
    lock_contended,
    wait_timed_out,
    buffers_ran_dry,
    queue_overflowed,
    writer_failed,
    site_stopped_busy,
    site_was_full,
    slow_reader_served,
};
inline constexpr auto probe_last = probe::slow_reader_served;

std::string_view name_of(probe which) noexcept;
void reached(probe which) noexcept;
/// On all threads so far.
std::uint64_t times_reached(probe which) noexcept;

}  // namespace upcall_sim
