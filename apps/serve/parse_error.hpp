// What CLI11 does not like about a command line, in words for those who typed it: its own are for
// programmers.
#pragma once

#include <CLI/CLI.hpp>

#include <optional>
#include <string>

namespace upcall_serve {

std::string words_for(const CLI::ParseError& error);

// Of an app that allows extras: the first argument that nobody took. "--" is none.
std::optional<std::string> problem_with_rest(const CLI::App& app);

}  // namespace upcall_serve
