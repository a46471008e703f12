// What `upcall sim` runs.
#pragma once

#include <string_view>
#include <vector>

#include <upcall/sim/seeds.hpp>

#include "sim/probes.hpp"

namespace upcall_sim {

struct suite {
    std::string_view name;
    /// Each seed is one run of this.
    upcall::sim::report (*run)(upcall::sim::world& w);
    upcall::sim::world_options options;
    /// What many seeds of it reach.
    std::vector<probe> probes;
};

/// Small contended programs, one of them a seed.
suite race_suite();
/// A log with snapshots, an echo server and `upcall serve` with a site, with their clients, under
/// all faults that they promise to survive.
suite system_suite();
/// Both.
const std::vector<suite>& all_suites();

}  // namespace upcall_sim
