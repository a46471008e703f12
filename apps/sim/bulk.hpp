// Many seeds on several threads.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "sim/suites.hpp"

namespace upcall_sim {

struct bulk_options {
    std::uint64_t first = 1;
    std::uint64_t count = 1000;
    unsigned threads = 1;
    bool twice = true;
    /// Told now and then how many seeds are done, one call at a time; may be empty.
    std::function<void(std::uint64_t done)> progress{};
    /// Called on every thread before it begins; may be empty.
    std::function<void()> prepare{};
};

struct bulk_outcome {
    std::uint64_t seeds = 0;
    std::uint64_t outcomes = 0;
    /// The lowest seed that failed of those that were tried; the threads stop at the first.
    std::optional<upcall::sim::report> failure;
};

bulk_outcome run_bulk(const suite& which, const bulk_options& how);

}  // namespace upcall_sim
