// Exchanges messages on open connections and measures them.
#ifndef UPCALL_BENCH_ENGINE_H
#define UPCALL_BENCH_ENGINE_H

#include "histogram.h"
#include "options.h"
#include "server_cpu.h"

struct outcome {
    struct histogram latency;  // nanoseconds
    uint64_t requests;         // came back within the measured time
    uint64_t unfinished;       // open loop: due within the measured time, never came back
    double seconds, load_cpu;
    struct server_cpu server;  // differences over the measured time
};

// `fds` are connected sockets, one per connection. In idle mode each exchanges one message.
// Exits with a message if a connection ends or a byte differs.
void engine_run(const struct options* options, const int* fds, struct outcome* outcome);

#endif
