#include "lab/experiments.hpp"

#include <array>

namespace upcall_lab {
namespace {

constexpr std::array experiments{
    experiment{"threads", "Why not threads", 10, 110, measure_threads},
    experiment{"batching", "What batching buys", 4, 30, measure_batching},
    experiment{"readiness", "Readiness against completion", 3, 15, measure_readiness},
};

}  // namespace

std::span<const experiment> all_experiments() { return experiments; }

}  // namespace upcall_lab
