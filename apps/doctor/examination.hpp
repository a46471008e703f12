// Everything that a report is made from.
#pragma once

#include <string>
#include <vector>

#include <upcall/base/result.hpp>
#include <upcall/driver/host.hpp>
#include <upcall/driver/host_file.hpp>

#include "doctor/file_engines.hpp"

namespace upcall_doctor {

struct examined_path {
    std::string path;
    upcall::result<upcall::file_system_facts> facts;
};

struct examination {
    upcall::host host;
    upcall::driver_advice choice;
    // The environment variable UPCALL_DRIVER, which overrules the choice; empty: it does not.
    std::string overruled_by;
    std::vector<examined_engine> engines;
    std::vector<examined_path> paths;

    // Why programs under UPCALL_DRIVER will get no driver at all, as a choice that was made is not
    // overruled; empty: they will get one.
    std::string overrule_problem() const;
};

// Probes the host, its file engines, and the file system of each path.
examination examine(const std::vector<std::string>& paths);

}  // namespace upcall_doctor
