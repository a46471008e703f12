// The command line of `upcall serve`.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>

#include "serve/options.hpp"

namespace upcall_serve {

// Why there is nothing to run: help was asked for (code 0: the text is for standard output), or
// something is wrong (code 2: one line for standard error that names the input and the limit).
struct command_exit {
    int code = 0;
    std::string text;
};

// `arguments` are what follows "upcall serve". Nothing is looked at but the text: whether the
// directory is there is for the server to find.
std::expected<options, command_exit> parse_command_line(std::span<const char* const> arguments);

// What is wrong with the environment variable that counts where no driver is named.
std::optional<command_exit> problem_with_environment(const options& chosen);

}  // namespace upcall_serve
