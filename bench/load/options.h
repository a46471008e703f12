// The load generator's options and their meaning; `options_parse` prints the help.
#ifndef UPCALL_BENCH_LOAD_OPTIONS_H
#define UPCALL_BENCH_LOAD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum load_mode { mode_closed, mode_open, mode_idle };

struct options {
    enum load_mode mode;
    long port;
    unsigned connections;
    size_t message_bytes;
    double warmup_seconds, measure_seconds;
    double rate;   // open loop: requests per second offered
    bool poisson;  // open loop: exponential gaps rather than equal ones
    pid_t server_pid;
    long server_core;
};

struct options options_parse(int argc, char** argv);

#endif
