// Opens what is served and where, in the way of the system, and serves it.
#pragma once

#include <upcall/os/descriptor.hpp>
#include <upcall/upcall.hpp>

#include <string>
#include <system_error>
#include <vector>

#include "serve/greeter.hpp"
#include "serve/loop_server.hpp"

namespace upcall_serve {

// What a loop serves with. All of it belongs to that loop.
struct loop_share {
    std::vector<upcall::tcp::listener> listeners;
    upcall::file root;
    upcall::descriptor log;  // none: no log is kept
    upcall::file log_file;   // in its place on Windows
};

// Serves until it is asked to stop. On the loop of `own`.
upcall::task<> serve_on_loop(server_state& state, loop_share own);

// Opens everything, greets, and serves on `state.loops` loops. What cannot be opened is told once,
// and then nothing is served at all. Yields what the program is to exit with.
int open_and_serve(server_state& state, upcall::run_options running);

inline std::string cannot_serve(const options& settings, const std::error_code& why) {
    return "cannot serve '" + settings.directory + "': " + why.message();
}

}  // namespace upcall_serve
