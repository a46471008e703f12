// What a conformance case runs on: a driver, by name, or one with something left out.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include <upcall/driver/select.hpp>

namespace upcall::test {

struct subject {
    /// As it appears in the name of the test.
    std::string name;
    /// How to choose it; `simulated` for the simulated kernel, which is not chosen but made.
    driver_choice choice;
    bool simulated = false;
    /// A driver with a feature left out, or restricted: long races are shorter.
    bool reduced = false;
};

inline void PrintTo(const subject& one, std::ostream* out) { *out << one.name; }

/// Every driver that this platform may have, and `uring` with a ring that refuses what the driver
/// does not need.
std::vector<subject> host_drivers();

/// Those, and `uring` with each optional feature left out.
std::vector<subject> forms_of_host_drivers();

/// All of them, and the simulated kernel.
std::vector<subject> all_kernels();

/// `all` and the simulated kernel.
std::vector<subject> with_sim(std::vector<subject> all);

/// `all` and epoll with each file engine that may take the place of the pool.
std::vector<subject> with_file_engines(std::vector<subject> all);

}  // namespace upcall::test
