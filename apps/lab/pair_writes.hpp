// Two writes to one place, in flight together: which of them is told of last, and which remains.
#pragma once

#include <string>
#include <vector>

#include "lab/child.hpp"
#include "lab/run.hpp"

namespace upcall_lab {

constexpr std::size_t written_bytes = 64 << 10;

struct pair_way {
    std::string name{};
    /// Whether the second write waits for the first.
    bool is_sequenced = false;
    bool direct = false;
};

/// The ways of this host; those that it lacks are left out of `found`.
std::vector<pair_way> pair_ways(findings& found);

struct pair_outcome {
    double pairs = 0;
    double told_swapped = 0;  // the second one's completion came before the first one's
    double first_won = 0;     // the first one's bytes are what remains
    double mixed = 0;         // some of both

    samples as_samples() const { return {pairs, told_swapped, first_won, mixed}; }
};

/// Writes so many pairs to the start of `file`. Throws lab_error.
pair_outcome write_pairs(const pair_way& way, int file, unsigned pairs);

}  // namespace upcall_lab
