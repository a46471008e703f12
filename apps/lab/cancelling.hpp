// One operation after the other, each asked to end at about the moment at which it is done.
#pragma once

#include <cstdint>
#include <string>

#include "lab/child.hpp"

namespace upcall_lab {

enum class raced { pipe_read, timer, direct_read };

struct race_plan {
    std::string driver;
    raced what = raced::pipe_read;
    int file = -1;             // for direct_read
    std::uint64_t blocks = 0;  // of it
    double delay_ns = 0;       // of the cancellation, after the value; may be negative
    unsigned trials = 100;
};

struct race_outcome {
    double trials = 0;
    double cancelled = 0;
    double twice = 0;  // operations with another number of outcomes than one
    double lost = 0;   // cancelled, and yet something had happened

    samples as_samples() const { return {trials, cancelled, twice, lost}; }
};

/// Throws lab_error.
race_outcome race_cancellation(const race_plan& plan);

}  // namespace upcall_lab
