// What no file of the repository's own text may hold.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace house {

/// Every breach under `root`, as "file:line: what is wrong": words that mark unfinished work,
/// code files longer than 600 lines, and paths of the machine that somebody worked on
/// (`forbidden_paths`, and anybody's home directory).
std::vector<std::string> text_breaches(const std::filesystem::path& root,
                                       const std::vector<std::string>& forbidden_paths);

}  // namespace house
