#include "lab/experiments.hpp"

#include <array>

namespace upcall_lab {
namespace {

constexpr std::array experiments{
    experiment{"threads", "Why not threads", 10, 110, measure_threads},
    experiment{"batching", "What batching buys", 4, 30, measure_batching},
    experiment{"readiness", "Readiness against completion", 3, 15, measure_readiness},
    experiment{"storage", "Storage", 14, 150, measure_storage},
    experiment{"head-of-line", "Head of line", 6, 90, measure_head_of_line},
    experiment{"reordering", "Reordering", 3, 20, measure_reordering},
    experiment{"cancel-races", "Cancel races", 3, 40, measure_cancel_races},
    experiment{"connections", "Connections", 10, 110, measure_connections},
};

}  // namespace

std::span<const experiment> all_experiments() { return experiments; }

}  // namespace upcall_lab
