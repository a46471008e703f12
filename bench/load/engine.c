// The engine of the load generator. It has to cost less than the servers it loads: descriptors
// are registered, sends report nothing when they succeed, short messages arrive in a small ring
// of buffers, and of long ones most are discarded by the kernel instead of copied (MSG_TRUNC,
// tcp(7)).
#define _GNU_SOURCE
#include "engine.h"

#include <math.h>

#include "../support/buffer_ring.h"
#include "../support/net.h"
#include "pattern.h"

enum { short_bytes_max = 4096, checked_of_long = 16, grace_seconds = 5 };
static const uint64_t never = UINT64_MAX;
enum kind { kind_receive, kind_send };

struct connection {
    uint64_t since_ns;       // sent, or due in the open loop
    uint32_t sequence;       // of the message in flight
    uint32_t received;       // bytes of it
    unsigned char* storage;  // long messages only
};

struct engine {
    const struct options* options;
    struct outcome* outcome;
    struct ring ring;
    struct buffer_ring buffers;
    struct connection* connections;
    unsigned char* pattern;
    uint64_t warm_ns, end_ns;  // the measured time
    bool measuring;
    struct server_cpu server_before;
    uint64_t load_before;
    unsigned in_flight;
    // Open loop: free connections, first in first out, and when the next message is due.
    uint32_t* free_ids;
    unsigned free_first, free_count;
    double due_ns, gap_ns;
    uint64_t random;
};

static bool is_short(const struct engine* e) {
    return e->options->message_bytes <= short_bytes_max;
}

static void fail(unsigned id, const char* what, int code) {
    fprintf(stderr, "echo_load: connection %u: %s%s%s\n", id, what, code ? ": " : "",
            code ? strerror(code) : "");
    exit(1);
}

static struct io_uring_sqe* entry(struct engine* e, unsigned opcode, unsigned id, enum kind kind) {
    struct io_uring_sqe* sqe = ring_sqe(&e->ring);
    sqe->opcode = (uint8_t)opcode;
    sqe->flags = IOSQE_FIXED_FILE;
    sqe->fd = (int)id;
    sqe->user_data = (uint64_t)id << 8 | kind;
    return sqe;
}

static void receive_many(struct engine* e, unsigned id) {
    struct io_uring_sqe* sqe = entry(e, IORING_OP_RECV, id, kind_receive);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->ioprio = IORING_RECV_MULTISHOT;
}

static bool is_checked(const struct connection* c, unsigned id) {
    return (c->sequence + id) % checked_of_long == 0;
}

// The rest of the message in flight. Not MSG_WAITALL: io_uring repeats a partial receive from
// where its buffer was filled to, and a discarded part fills nothing.
static void receive_long(struct engine* e, unsigned id) {
    const struct connection* c = &e->connections[id];
    struct io_uring_sqe* sqe = entry(e, IORING_OP_RECV, id, kind_receive);
    sqe->addr = (uint64_t)(uintptr_t)(c->storage + c->received);
    sqe->len = (uint32_t)e->options->message_bytes - c->received;
    sqe->msg_flags = is_checked(c, id) ? 0U : (unsigned)MSG_TRUNC;
    sqe->ioprio = IORING_RECVSEND_POLL_FIRST;
}

static void send_message(struct engine* e, unsigned id, uint64_t since_ns) {
    struct connection* c = &e->connections[id];
    c->since_ns = since_ns;
    c->received = 0;
    struct io_uring_sqe* sqe = entry(e, IORING_OP_SEND, id, kind_send);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    sqe->addr = (uint64_t)(uintptr_t)pattern_of(e->pattern, id, c->sequence);
    sqe->len = (uint32_t)e->options->message_bytes;
    sqe->msg_flags = MSG_WAITALL;
    if (!is_short(e)) receive_long(e, id);
    ++e->in_flight;
}

static void check_bytes(struct engine* e, unsigned id, const unsigned char* data, uint32_t bytes) {
    const struct connection* c = &e->connections[id];
    if (c->received + bytes > e->options->message_bytes)
        fail(id, "more came back than was sent", 0);
    const unsigned char* expected = pattern_of(e->pattern, id, c->sequence) + c->received;
    if (data && memcmp(data, expected, bytes) != 0) fail(id, "other bytes came back", 0);
}

static void record(struct engine* e, const struct connection* c, uint64_t now) {
    if (e->measuring && now < e->end_ns) ++e->outcome->requests;
    // In the open loop a latency counts if the message was due in the measured time, however late
    // it came back: leaving out the late ones would flatter the server.
    const bool counts = e->options->mode == mode_open
                            ? c->since_ns >= e->warm_ns && c->since_ns < e->end_ns
                            : e->measuring && now < e->end_ns;
    if (counts) histogram_add(&e->outcome->latency, now - c->since_ns);
}

static void message_done(struct engine* e, unsigned id) {
    struct connection* c = &e->connections[id];
    const uint64_t now = now_ns();
    record(e, c, now);
    ++c->sequence;
    --e->in_flight;
    if (e->options->mode == mode_closed && now < e->end_ns) {
        send_message(e, id, now);
    } else if (e->options->mode == mode_open) {
        const unsigned last = (e->free_first + e->free_count++) % e->options->connections;
        e->free_ids[last] = id;
    }
}

static void on_receive(struct engine* e, const struct io_uring_cqe* cqe, unsigned id) {
    struct connection* c = &e->connections[id];
    if (cqe->res == -ENOBUFS) {
        receive_many(e, id);
        return;
    }
    if (cqe->res <= 0) fail(id, "ended by the server", -cqe->res);
    const unsigned buffer = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
    const unsigned char* data = is_short(e)         ? buffer_ring_at(&e->buffers, buffer)
                                : is_checked(c, id) ? c->storage + c->received
                                                    : NULL;
    check_bytes(e, id, data, (uint32_t)cqe->res);
    c->received += (uint32_t)cqe->res;
    if (is_short(e)) {
        buffer_ring_return(&e->buffers, buffer);
        if (!(cqe->flags & IORING_CQE_F_MORE)) receive_many(e, id);
    } else if (c->received < e->options->message_bytes) {
        receive_long(e, id);
    }
    if (c->received == e->options->message_bytes) message_done(e, id);
}

static void handle_completions(struct engine* e) {
    const unsigned ready = ring_cq_ready(&e->ring);
    for (unsigned i = 0; i < ready; ++i) {
        const struct io_uring_cqe* cqe = ring_cqe(&e->ring, i);
        const unsigned id = (unsigned)(cqe->user_data >> 8);
        if ((cqe->user_data & 0xff) == kind_send)
            fail(id, "send failed", cqe->res < 0 ? -cqe->res : 0);
        on_receive(e, cqe, id);
    }
    ring_seen(&e->ring, ready);
    if (is_short(e)) buffer_ring_publish(&e->buffers);
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
        e->free_first = (e->free_first + 1) % e->options->connections;
        --e->free_count;
        send_message(e, id, (uint64_t)e->due_ns);
        schedule_next(e);
    }
    return e->free_count == 0 || e->due_ns >= (double)e->end_ns ? never : (uint64_t)e->due_ns;
}

// Waits for a completion, until the clock reads `until` at the latest.
static void wait_until(struct engine* e, uint64_t now, uint64_t until) {
    const uint64_t ns = until > now ? until - now : 0;
    const struct timespec limit = {(time_t)(ns / 1000000000U), (long)(ns % 1000000000U)};
    ring_enter(&e->ring, 1, &limit);
}

// Waits for a completion or for the next due message. Sleeping until then would add the timer's
// and the scheduler's delay to every latency, so the last stretch is spent looking.
static void wait_until_due(struct engine* e, uint64_t now, uint64_t due) {
    const uint64_t spin_ns = 100000;
    if (due > now + 2 * spin_ns) {
        wait_until(e, now, due - spin_ns);
        return;
    }
    ring_enter(&e->ring, 0, NULL);
    while (ring_cq_ready(&e->ring) == 0 && !ring_wants_enter(&e->ring) && now_ns() < due) {
    }
    if (ring_wants_enter(&e->ring)) ring_enter(&e->ring, 0, NULL);
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
    for (unsigned id = 0; id < e->options->connections; ++id) {
        if (open)
            e->free_ids[e->free_count++] = id;
        else
            send_message(e, id, start);
    }
    for (uint64_t now = start; now < e->end_ns; now = now_ns()) {
        if (!e->measuring && now >= e->warm_ns) start_measuring(e);
        const uint64_t due = open ? send_due(e, now) : never;
        if (due == never)
            wait_until(e, now, e->end_ns);
        else
            wait_until_due(e, now, due);
        handle_completions(e);
    }
    stop_measuring(e);
}

static void drain(struct engine* e) {
    const uint64_t give_up = now_ns() + grace_seconds * 1000000000U;
    for (uint64_t now = now_ns(); now < give_up; now = now_ns()) {
        if (e->options->mode == mode_open) send_due(e, now);
        if (e->in_flight == 0) return;
        wait_until(e, now, give_up);
        handle_completions(e);
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
    bool* free_ones = calloc(e->options->connections, sizeof *free_ones);
    if (!free_ones) net_die("memory");
    for (unsigned i = 0; i < e->free_count; ++i)
        free_ones[e->free_ids[(e->free_first + i) % e->options->connections]] = true;
    for (unsigned id = 0; id < e->options->connections; ++id)
        if (!free_ones[id]) count_one_unfinished(e, e->connections[id].since_ns, now);
    for (; e->due_ns < (double)e->end_ns; schedule_next(e))
        count_one_unfinished(e, (uint64_t)e->due_ns, now);
    free(free_ones);
}

static void prepare(struct engine* e, const int* fds) {
    const unsigned count = e->options->connections;
    e->connections = calloc(count, sizeof *e->connections);
    e->free_ids = calloc(count, sizeof *e->free_ids);
    e->pattern = pattern_make(e->options->message_bytes);
    if (!e->connections || !e->free_ids || !e->pattern) net_die("memory");
    e->random = 0x9e3779b97f4a7c15U;
    ring_open(&e->ring, 4096, 65536);
    if (ring_register(&e->ring, IORING_REGISTER_FILES, (void*)(uintptr_t)fds, count) < 0)
        ring_die("registering the connections");
    if (is_short(e)) buffer_ring_open(&e->buffers, &e->ring, 0, 1024, e->options->message_bytes);
    for (unsigned id = 0; id < count; ++id) {
        if (is_short(e))
            receive_many(e, id);
        else if (!(e->connections[id].storage = malloc(e->options->message_bytes)))
            net_die("memory");
    }
}

void engine_run(const struct options* options, const int* fds, struct outcome* outcome) {
    static struct engine e;
    e.options = options;
    e.outcome = outcome;
    prepare(&e, fds);
    if (options->mode == mode_idle) {
        for (unsigned id = 0; id < options->connections; ++id) send_message(&e, id, 0);
    } else {
        run_timed(&e);
    }
    drain(&e);
    if (options->mode == mode_open)
        count_unfinished(&e);
    else if (e.in_flight > 0)
        fail(0, "messages did not come back", 0);
    outcome->seconds = options->measure_seconds;
}
