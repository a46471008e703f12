// How many seeds it takes to find each of the planted bugs.
#pragma once

namespace upcall_sim {

/// Prints a table. Returns 1 when one was not found, 2 where none are planted.
int find_bugs(unsigned threads);

}  // namespace upcall_sim
