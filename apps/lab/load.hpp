// What loads an echo server: all connections at once as fast as they answer, or a fixed number of
// messages a second, whatever the server does.
#pragma once

#include <string>

#include "lab/echo_server.hpp"

namespace upcall_lab {

struct load_plan {
    std::string server{};
    transport over = transport::unix_socket;
    unsigned connections = 1;
    /// Processes that share the connections.
    unsigned servers = 1;
    double warm_up_seconds = 0.05;
    double seconds = 0.2;
    /// Whether the server looks at 8 KiB of memory for each message, besides its I/O.
    bool works = true;
    /// 0: each connection sends its next message when the last one is back.
    double messages_per_second = 0;
};

struct load_outcome {
    double messages_per_second = 0;
    double cpu_ns = 0;      // of the server, a message
    double switches = 0;    // of the server, a message
    double memory = 0;      // of the server, a connection
    double median_ns = 0;   // from when a message was due to when it was back
    double slowest_ns = 0;  // the 99th percentile of that

    /// What is where in `as_samples`.
    enum kind : std::size_t { rate, cpu, switching, resident, median, slowest, count };
    samples as_samples() const {
        return {messages_per_second, cpu_ns, switches, memory, median_ns, slowest_ns};
    }
};

/// Starts the server beside this process, loads it, and ends it. Throws lab_error.
load_outcome load_server(const load_plan& plan);

/// How many connections this process may hold, of those wanted; fewer where `ulimit -n` does not
/// allow them.
unsigned connections_allowed(unsigned wanted);

}  // namespace upcall_lab
