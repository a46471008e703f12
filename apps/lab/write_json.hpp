// Everything that was found, for programs.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "lab/findings.hpp"
#include "lab/machine.hpp"

namespace upcall_lab {

/// What the files say beside the experiments.
struct record {
    std::string mode;  // "quick" or "full"
    machine_facts machine;
    std::vector<std::string> disturbances;
    std::vector<findings> experiments;
    double seconds = 0;
};

/// One JSON object, ended by a newline. What is not valid UTF-8 in it is replaced.
std::string write_json(const record& all);

}  // namespace upcall_lab
