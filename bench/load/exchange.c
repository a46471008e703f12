// The exchange has to cost less than the servers it loads: descriptors are registered, sends
// report nothing when they succeed, short messages arrive in a small ring of buffers, and of long
// ones most are discarded by the kernel instead of copied (MSG_TRUNC, tcp(7)).
#define _GNU_SOURCE
#include "exchange.h"

#include "../support/clock.h"
#include "../support/net.h"
#include "pattern.h"

enum { short_bytes_max = 4096, checked_of_long = 16 };
enum kind { kind_receive, kind_send };

static bool is_short(const struct exchange* x) { return x->message_bytes <= short_bytes_max; }

static void fail(unsigned id, const char* what, int code) {
    fprintf(stderr, "echo_load: connection %u: %s%s%s\n", id, what, code ? ": " : "",
            code ? strerror(code) : "");
    exit(1);
}

static struct io_uring_sqe* entry(struct exchange* x, unsigned opcode, unsigned id,
                                  enum kind kind) {
    struct io_uring_sqe* sqe = ring_sqe(&x->ring);
    sqe->opcode = (uint8_t)opcode;
    sqe->flags = IOSQE_FIXED_FILE;
    sqe->fd = (int)id;
    sqe->user_data = (uint64_t)id << 8 | kind;
    return sqe;
}

static void receive_many(struct exchange* x, unsigned id) {
    struct io_uring_sqe* sqe = entry(x, IORING_OP_RECV, id, kind_receive);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->ioprio = IORING_RECV_MULTISHOT;
}

static bool is_checked(const struct message* m, unsigned id) {
    return (m->sequence + id) % checked_of_long == 0;
}

// The rest of the message in flight. Not MSG_WAITALL: io_uring repeats a partial receive from
// where its buffer was filled to, and a discarded part fills nothing.
static void receive_long(struct exchange* x, unsigned id) {
    const struct message* m = &x->messages[id];
    struct io_uring_sqe* sqe = entry(x, IORING_OP_RECV, id, kind_receive);
    sqe->addr = (uint64_t)(uintptr_t)(m->storage + m->received);
    sqe->len = (uint32_t)x->message_bytes - m->received;
    sqe->msg_flags = is_checked(m, id) ? 0U : (unsigned)MSG_TRUNC;
    sqe->ioprio = IORING_RECVSEND_POLL_FIRST;
}

void exchange_start(struct exchange* x, unsigned id, uint64_t since_ns) {
    struct message* m = &x->messages[id];
    m->since_ns = since_ns;
    m->received = 0;
    struct io_uring_sqe* sqe = entry(x, IORING_OP_SEND, id, kind_send);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    sqe->addr = (uint64_t)(uintptr_t)pattern_of(x->pattern, id, m->sequence);
    sqe->len = (uint32_t)x->message_bytes;
    sqe->msg_flags = MSG_WAITALL;
    if (!is_short(x)) receive_long(x, id);
    ++x->in_flight;
}

static void check_bytes(struct exchange* x, unsigned id, const unsigned char* data,
                        uint32_t bytes) {
    const struct message* m = &x->messages[id];
    if (m->received + bytes > x->message_bytes) fail(id, "more came back than was sent", 0);
    const unsigned char* expected = pattern_of(x->pattern, id, m->sequence) + m->received;
    if (data && memcmp(data, expected, bytes) != 0) fail(id, "other bytes came back", 0);
}

static void receive_more(struct exchange* x, unsigned id, const struct io_uring_cqe* cqe) {
    if (!is_short(x) && x->messages[id].received < x->message_bytes) receive_long(x, id);
    if (is_short(x) && !(cqe->flags & IORING_CQE_F_MORE)) receive_many(x, id);
}

static void on_receive(struct exchange* x, const struct io_uring_cqe* cqe, unsigned id) {
    struct message* m = &x->messages[id];
    if (cqe->res == -ENOBUFS) {
        receive_many(x, id);
        return;
    }
    if (cqe->res <= 0) fail(id, "ended by the server", -cqe->res);
    const unsigned buffer = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
    const unsigned char* data = NULL;
    if (is_short(x))
        data = buffer_ring_at(&x->buffers, buffer);
    else if (is_checked(m, id))
        data = m->storage + m->received;
    check_bytes(x, id, data, (uint32_t)cqe->res);
    if (is_short(x)) buffer_ring_return(&x->buffers, buffer);
    m->received += (uint32_t)cqe->res;
    receive_more(x, id, cqe);
    if (m->received < x->message_bytes) return;
    --x->in_flight;
    x->done(x, id);
}

void exchange_handle(struct exchange* x) {
    const unsigned ready = ring_cq_ready(&x->ring);
    for (unsigned i = 0; i < ready; ++i) {
        const struct io_uring_cqe* cqe = ring_cqe(&x->ring, i);
        const unsigned id = (unsigned)(cqe->user_data >> 8);
        if ((cqe->user_data & 0xff) == kind_send)
            fail(id, "send failed", cqe->res < 0 ? -cqe->res : 0);
        on_receive(x, cqe, id);
    }
    ring_seen(&x->ring, ready);
    if (is_short(x)) buffer_ring_publish(&x->buffers);
}

void exchange_wait(struct exchange* x, uint64_t now, uint64_t until) {
    const uint64_t ns = until > now ? until - now : 0;
    const struct timespec limit = {(time_t)(ns / 1000000000U), (long)(ns % 1000000000U)};
    ring_enter(&x->ring, 1, &limit);
}

void exchange_spin(struct exchange* x, uint64_t until) {
    ring_enter(&x->ring, 0, NULL);
    while (ring_cq_ready(&x->ring) == 0 && !ring_wants_enter(&x->ring) && now_ns() < until) {
    }
    if (ring_wants_enter(&x->ring)) ring_enter(&x->ring, 0, NULL);
}

void exchange_open(struct exchange* x, const int* fds, unsigned connections, size_t message_bytes) {
    x->connections = connections;
    x->message_bytes = message_bytes;
    x->messages = calloc(connections, sizeof *x->messages);
    x->pattern = pattern_make(message_bytes);
    if (!x->messages || !x->pattern) net_die("memory");
    ring_open(&x->ring, 4096, 65536);
    if (ring_register(&x->ring, IORING_REGISTER_FILES, (void*)(uintptr_t)fds, connections) < 0)
        ring_die("registering the connections");
    if (is_short(x)) buffer_ring_open(&x->buffers, &x->ring, 0, 1024, message_bytes);
    for (unsigned id = 0; id < connections; ++id) {
        if (is_short(x))
            receive_many(x, id);
        else if (!(x->messages[id].storage = malloc(message_bytes)))
            net_die("memory");
    }
}
