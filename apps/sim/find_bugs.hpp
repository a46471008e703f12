// How many seeds it takes to find each of the planted bugs.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sim/suites.hpp"

namespace upcall_sim {

/// Prints a table of those with `named` in their names. Returns 1 when one was not found, 2 where
/// none are planted.
int find_bugs(unsigned threads, const std::string& named);

/// Plants the bug of that name, or the only one of this suite with `named` in its name, on the
/// thread that calls it. Empty when there is none, or several.
std::function<void()> planter_of(const suite& in, const std::string& named);
/// What can be planted in a suite; nothing where none are.
std::vector<std::string> bugs_of(const suite& in);

}  // namespace upcall_sim
