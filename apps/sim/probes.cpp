#include "sim/probes.hpp"

#include <array>
#include <atomic>

namespace upcall_sim {
namespace {

constexpr std::size_t count = static_cast<std::size_t>(probe_last) + 1;
std::array<std::atomic<std::uint64_t>, count> times{};

}  // namespace

std::string_view name_of(probe which) noexcept {
    constexpr std::array<std::string_view, count> names = {
        "a torn log was recovered",
        "a snapshot and a log were put together",
        "a sync failed",
        "an acknowledged number was asked for again",
        "the log was started again",
        "a connection was broken",
        "an answer came too late",
        "a cancelled operation had a value",
        "a cancelled operation had none",
        "a lock was waited for",
        "a wait for a lock timed out",
        "a loop had no buffers left",
        "a queue of writes was full",
        "a writer had failed for good",
        "a site was stopped while it was busy",
        "a site was full",
        "a slow reader was served",
    };
    return names[static_cast<std::size_t>(which)];
}

void reached(probe which) noexcept {
    times[static_cast<std::size_t>(which)].fetch_add(1, std::memory_order_relaxed);
}

std::uint64_t times_reached(probe which) noexcept {
    return times[static_cast<std::size_t>(which)].load(std::memory_order_relaxed);
}

}  // namespace upcall_sim
