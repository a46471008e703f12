// Reads the table of rooms (docs/rooms.md) and checks a source tree's includes against it.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace house {

/// One row of the table: what files of this room may include.
struct room {
    std::set<std::string> uses;
    bool every_kernel_header = false;
    std::vector<std::string> kernel_headers;  // patterns; a trailing * matches anything
};

struct include_rules {
    std::vector<std::string> order;  // the rooms from top to bottom
    std::map<std::string, room> rooms;
    /// "apps", "apps/lab", "examples"; what these use are files of src/.
    std::map<std::string, room> programs;
    std::vector<std::string> kernel_headers;
};

/// Reads the tables of a rooms.md. An unreadable file gives empty rules.
include_rules read_include_rules(const std::filesystem::path& table);

/// Every include under `root` that the rules forbid, as "file:line: what is wrong".
std::vector<std::string> forbidden_includes(const include_rules& rules,
                                            const std::filesystem::path& root);

}  // namespace house
