// When messages are sent, and which of them count.
#define _GNU_SOURCE
#include "engine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "exchange.h"
#include "pattern.h"

enum { grace_seconds = 5 };
static const uint64_t never = UINT64_MAX;

struct engine {
    struct exchange exchange;  // first: its callback finds the engine around it
    const struct options* options;
    struct outcome* outcome;
    uint64_t warm_ns, end_ns;  // the measured time
    bool measuring;
    struct server_cpu server_before;
    uint64_t load_before;
    // Open loop: free connections, first in first out, and when the next message is due.
    uint32_t* free_ids;
    unsigned free_first, free_count;
    double due_ns, gap_ns;
    uint64_t random;
};

static void record(struct engine* e, uint64_t since, uint64_t now) {
    if (e->measuring && now < e->end_ns) ++e->outcome->requests;
    // In the open loop a latency counts if the message was due in the measured time, however late
    // it came back: leaving out the late ones would flatter the server.
    const bool counts = e->options->mode == mode_open ? since >= e->warm_ns && since < e->end_ns
                                                      : e->measuring && now < e->end_ns;
    if (counts) histogram_add(&e->outcome->latency, now - since);
}

static void on_done(struct exchange* x, unsigned id) {
    struct engine* e = (struct engine*)x;
    const uint64_t now = now_ns();
    record(e, x->messages[id].since_ns, now);
    ++x->messages[id].sequence;
    if (e->options->mode == mode_closed && now < e->end_ns) {
        exchange_start(x, id, now);
    } else if (e->options->mode == mode_open) {
        const unsigned last = (e->free_first + e->free_count++) % x->connections;
        e->free_ids[last] = id;
    }
}

static void schedule_next(struct engine* e) {
    const double uniform = ((double)(random_next(&e->random) >> 11) + 0.5) / 9007199254740992.0;
    e->due_ns += e->options->poisson ? -log(uniform) * e->gap_ns : e->gap_ns;
}

// Starts the messages that are due and have a connection to go on. Returns when the next one is
// due, or `never` if only a completion can make it possible.
static uint64_t send_due(struct engine* e, uint64_t now) {
    while (e->free_count > 0 && e->due_ns <= (double)now && e->due_ns < (double)e->end_ns) {
        const unsigned id = e->free_ids[e->free_first];
        e->free_first = (e->free_first + 1) % e->exchange.connections;
        --e->free_count;
        exchange_start(&e->exchange, id, (uint64_t)e->due_ns);
        schedule_next(e);
    }
    return e->free_count == 0 || e->due_ns >= (double)e->end_ns ? never : (uint64_t)e->due_ns;
}

// Waits for a completion or for the next due message. Sleeping until then would add the timer's
// and the scheduler's delay to every latency, so the last stretch is spent looking.
static void wait_until_due(struct engine* e, uint64_t now, uint64_t due) {
    const uint64_t spin_ns = 100000;
    if (due > now + 2 * spin_ns)
        exchange_wait(&e->exchange, now, due - spin_ns);
    else
        exchange_spin(&e->exchange, due);
}

static void start_measuring(struct engine* e) {
    e->measuring = true;
    e->load_before = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    e->server_before = server_cpu_read(e->options->server_pid, e->options->server_core);
}

static void stop_measuring(struct engine* e) {
    struct outcome* o = e->outcome;
    const struct server_cpu now = server_cpu_read(e->options->server_pid, e->options->server_core);
    o->load_cpu = (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - e->load_before) * 1e-9;
    o->server.process = now.process - e->server_before.process;
    o->server.busy = now.busy - e->server_before.busy;
    o->server.softirq = now.softirq - e->server_before.softirq;
    o->server.stolen = now.stolen - e->server_before.stolen;
    e->measuring = false;
}

static void run_timed(struct engine* e) {
    const uint64_t start = now_ns();
    e->warm_ns = start + (uint64_t)(e->options->warmup_seconds * 1e9);
    e->end_ns = e->warm_ns + (uint64_t)(e->options->measure_seconds * 1e9);
    e->gap_ns = 1e9 / e->options->rate;
    e->due_ns = (double)start;
    const bool open = e->options->mode == mode_open;
    for (unsigned id = 0; id < e->exchange.connections; ++id) {
        if (open)
            e->free_ids[e->free_count++] = id;
        else
            exchange_start(&e->exchange, id, start);
    }
    for (uint64_t now = start; now < e->end_ns; now = now_ns()) {
        if (!e->measuring && now >= e->warm_ns) start_measuring(e);
        const uint64_t due = open ? send_due(e, now) : never;
        if (due == never)
            exchange_wait(&e->exchange, now, e->end_ns);
        else
            wait_until_due(e, now, due);
        exchange_handle(&e->exchange);
    }
    stop_measuring(e);
}

static void drain(struct engine* e) {
    const uint64_t give_up = now_ns() + grace_seconds * 1000000000U;
    for (uint64_t now = now_ns(); now < give_up; now = now_ns()) {
        if (e->options->mode == mode_open) send_due(e, now);
        if (e->exchange.in_flight == 0) return;
        exchange_wait(&e->exchange, now, give_up);
        exchange_handle(&e->exchange);
    }
}

static void count_one_unfinished(struct engine* e, uint64_t due, uint64_t now) {
    if (due < e->warm_ns) return;
    histogram_add(&e->outcome->latency, now - due);
    ++e->outcome->unfinished;
}

// Messages that an overloaded server never answered have at least the latency of now.
static void count_unfinished(struct engine* e) {
    const uint64_t now = now_ns();
    bool* is_free = calloc(e->exchange.connections, sizeof *is_free);
    if (!is_free) ring_die("memory");
    for (unsigned i = 0; i < e->free_count; ++i)
        is_free[e->free_ids[(e->free_first + i) % e->exchange.connections]] = true;
    for (unsigned id = 0; id < e->exchange.connections; ++id)
        if (!is_free[id]) count_one_unfinished(e, e->exchange.messages[id].since_ns, now);
    for (; e->due_ns < (double)e->end_ns; schedule_next(e))
        count_one_unfinished(e, (uint64_t)e->due_ns, now);
    free(is_free);
}

void engine_run(const struct options* options, const int* fds, struct outcome* outcome) {
    static struct engine e;
    e.options = options;
    e.outcome = outcome;
    e.random = 0x9e3779b97f4a7c15U;
    e.exchange.done = on_done;
    e.free_ids = calloc(options->connections, sizeof *e.free_ids);
    if (!e.free_ids) ring_die("memory");
    exchange_open(&e.exchange, fds, options->connections, options->message_bytes);
    if (options->mode == mode_idle) {
        for (unsigned id = 0; id < options->connections; ++id) exchange_start(&e.exchange, id, 0);
    } else {
        run_timed(&e);
    }
    drain(&e);
    if (options->mode == mode_open) {
        count_unfinished(&e);
    } else if (e.exchange.in_flight > 0) {
        fputs("echo_load: messages did not come back\n", stderr);
        exit(1);
    }
    outcome->seconds = options->measure_seconds;
}
