// `upcall serve`: from options to a running server.
#pragma once

#include <span>

#include "serve/options.hpp"

namespace upcall_serve {

// Serves until it is told to stop (SIGINT, SIGTERM). Returns the exit code.
int run_server(const options& settings);

// The sub-command: `arguments` are what follows "upcall serve".
int serve_main(std::span<const char* const> arguments);

}  // namespace upcall_serve
