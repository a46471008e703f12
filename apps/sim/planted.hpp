// Faults that can be planted in the programs of the suites and in what is below them, to see
// whether the simulator finds them. Only builds with UPCALL_PLANTED_BUGS have them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace upcall_sim {

enum class bug : std::uint8_t {
    none,
    // The log.
    acks_before_sync,
    never_syncs,
    forgets_new_name,       // the directory is not synced after a rename
    trusts_repeated_sync,   // after a failed sync it tries again, and believes it
    renames_before_sync,    // a snapshot gets its name before its contents are durable
    cuts_log_first,         // the log is emptied before the snapshot that replaces it is there
    trusts_every_record,    // no checksum is looked at
    appends_at_the_size,    // behind a torn record, where recovery will not come
    drops_the_last_record,  // recovery ends one record early
    writes_log_once,        // a short write is taken for a whole one
    appends_without_lock,
    acks_from_memory,  // what another connection has not made durable yet
    trusts_the_cache,  // recovery serves what it read, though it may be in the cache alone
    // The echo server and its clients.
    echo_writes_once,
    echo_reads_once,
    echo_shares_a_buffer,
    echo_answers_side_by_side,
    client_waits_for_ever,
    client_keeps_old_bytes,  // a new connection goes on with what the old one had begun
    // Small contended programs.
    reads_then_writes,  // another task comes in between
    drops_late_values,  // a value that came with the timeout is lost
    unlocks_too_early,
    keeps_permit_when_late,  // a semaphore's, when the wait for more timed out
    misses_a_wake_up,        // looks, waits, and never looks again
    locks_in_any_order,
    closes_before_the_last,  // a channel, while a sender still has something
    takes_cancelled_for_done,
    joins_only_the_first,
    forgets_short_reads,
    leaks_a_connection,
};
inline constexpr auto bug_last = bug::leaks_a_connection;

std::string_view name_of(bug which) noexcept;

/// Those of the runtime and of `upcall serve` have only names; the files that have them say what
/// they do.
std::span<const char* const> runtime_bugs() noexcept;
std::span<const char* const> server_bugs() noexcept;

#ifdef UPCALL_PLANTED_BUGS
/// On this thread, in place of what was planted before.
void plant(bug which) noexcept;
/// The same for one of `runtime_bugs()` or `server_bugs()`.
void plant_below(const char* name) noexcept;
bool has(bug which) noexcept;
#else
constexpr bool has(bug) noexcept { return false; }
#endif

}  // namespace upcall_sim
