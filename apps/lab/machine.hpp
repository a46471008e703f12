// What the numbers were measured on.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace upcall_lab {

/// Name and value, in the order in which they are shown.
using machine_facts = std::vector<std::pair<std::string, std::string>>;

machine_facts this_machine(const std::string& directory);

/// Why the numbers may be worse than they need be: "the load is 3.2 on 2 cores"; empty otherwise.
std::vector<std::string> disturbances();

}  // namespace upcall_lab
