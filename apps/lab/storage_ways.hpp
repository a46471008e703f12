// Reading random blocks of a file with so many reads in flight: by the bare interfaces, by threads,
// and by upcall's drivers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lab/child.hpp"
#include "lab/run.hpp"

namespace upcall_lab {

constexpr std::size_t block_bytes = 4096;
inline const std::string threads_way = "threads";

struct read_plan {
    /// A way of `storage_ways`.
    std::string way{};
    int file = -1;  // opened for reading, directly or not
    bool direct = false;
    std::uint64_t blocks = 0;
    unsigned depth = 1;
    double seconds = 0.1;
};

struct read_outcome {
    double reads_per_second = 0;
    double median_ns = 0;
    double slowest_ns = 0;  // the 99th percentile
    double cpu_ns = 0;      // a read
    double busy = 0;        // cores kept busy

    static constexpr std::size_t count = 5;
    samples as_samples() const { return {reads_per_second, median_ns, slowest_ns, cpu_ns, busy}; }
};

/// The ways of this host, "threads" first; those that it lacks are left out of `found`.
std::vector<std::string> storage_ways(findings& found);

/// Throws lab_error.
read_outcome read_blocks(const read_plan& plan);

}  // namespace upcall_lab
