#include "faults.hpp"

#include <utility>

namespace upcall::sim {
namespace {

using rate = std::uint32_t sim_faults::*;

constexpr std::pair<fault, rate> rates[] = {
    {fault::short_transfers, &sim_faults::short_read},
    {fault::short_transfers, &sim_faults::short_write},
    {fault::short_transfers, &sim_faults::short_file_write},
    {fault::resets, &sim_faults::reset},
    {fault::lost_connects, &sim_faults::lost_connect},
    {fault::aborted_accepts, &sim_faults::aborted_accept},
    {fault::clogs, &sim_faults::clog},
    {fault::file_errors, &sim_faults::file_error},
    {fault::file_errors, &sim_faults::failed_sync},
    {fault::file_errors, &sim_faults::no_space},
    {fault::file_errors, &sim_faults::slow_file},
    {fault::datagrams, &sim_faults::lost_datagram},
    {fault::datagrams, &sim_faults::doubled_datagram},
    {fault::datagrams, &sim_faults::late_datagram},
    {fault::misdirected_writes, &sim_faults::misdirected_write},
};

// Half of the faults at a time, and those from rare to often: some failures need two that meet,
// others are hidden by a third.
void vary(std::uint32_t& often, choices& chosen) {
    constexpr std::uint32_t steps = 8;
    const auto share = static_cast<std::uint32_t>(chosen.below(std::uint64_t{2} * steps));
    often = share < steps ? 0 : often / steps * (share - steps + 1);
}

}  // namespace

world_options with_faults_drawn(const world_options& asked, choices& chosen) {
    world_options options = asked;
    for (const auto& [which, often] : rates) {
        std::uint32_t& in_a_million = options.kernel.faults.*often;
        if (options.without & static_cast<std::uint32_t>(which)) in_a_million = 0;
        if (options.vary_faults && in_a_million > 0) vary(in_a_million, chosen);
    }
    return options;
}

}  // namespace upcall::sim
