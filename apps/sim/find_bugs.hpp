// How many seeds it takes to find each of the planted bugs.
#pragma once

#include <string>

namespace upcall_sim {

/// Prints a table of those with `named` in their names. Returns 1 when one was not found, 2 where
/// none are planted.
int find_bugs(unsigned threads, const std::string& named);

}  // namespace upcall_sim
