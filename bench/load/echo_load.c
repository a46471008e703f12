// Load for echo servers: opens connections, runs the engine, prints one line of JSON.
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../support/net.h"
#include "connections.h"
#include "engine.h"
#include "options.h"

static void print_latency(const struct histogram* h) {
    const double us = 1e-3, total = h->total ? (double)h->total : 1.0;
    printf(
        "\"latency_us\":{\"mean\":%.2f,\"p50\":%.2f,\"p90\":%.2f,\"p99\":%.2f,\"p999\":%.2f,"
        "\"max\":%.2f}",
        (double)h->sum / total * us, (double)histogram_quantile(h, 0.5) * us,
        (double)histogram_quantile(h, 0.9) * us, (double)histogram_quantile(h, 0.99) * us,
        (double)histogram_quantile(h, 0.999) * us, (double)h->largest * us);
}

static void print_outcome(const struct options* o, const struct outcome* r) {
    printf(
        "{\"mode\":\"%s\",\"connections\":%u,\"message_bytes\":%zu,\"seconds\":%.3f,"
        "\"requests\":%llu,\"requests_per_second\":%.1f,",
        o->mode == mode_open ? "open" : "closed", o->connections, o->message_bytes, r->seconds,
        (unsigned long long)r->requests, (double)r->requests / r->seconds);
    if (o->mode == mode_open)
        printf("\"offered_per_second\":%.1f,\"arrivals\":\"%s\",\"unfinished\":%llu,", o->rate,
               o->poisson ? "poisson" : "fixed", (unsigned long long)r->unfinished);
    print_latency(&r->latency);
    printf(",\"load_cpu_seconds\":%.6f", r->load_cpu);
    if (o->server_pid > 0) printf(",\"server_cpu_seconds\":%.6f", r->server.process);
    if (o->server_core >= 0)
        printf(
            ",\"core_busy_seconds\":%.2f,\"core_softirq_seconds\":%.2f,"
            "\"core_stolen_seconds\":%.2f",
            r->server.busy, r->server.softirq, r->server.stolen);
    printf("}\n");
    fflush(stdout);
}

static void hold_until_input_ends(const struct options* o) {
    printf("{\"mode\":\"idle\",\"connections\":%u,\"ready\":true}\n", o->connections);
    fflush(stdout);
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
}

int main(int argc, char** argv) {
    const struct options options = options_parse(argc, argv);
    raise_descriptor_limit();
    prctl(PR_SET_TIMERSLACK, 1UL);  // the default lets every timed wait run 50 us over
    const int* fds = connections_open(options.port, options.connections);
    static struct outcome outcome;
    engine_run(&options, fds, &outcome);
    if (options.mode == mode_idle)
        hold_until_input_ends(&options);
    else
        print_outcome(&options, &outcome);
    return 0;
}
