// Reference echo server on io_uring, without a library: multishot accept into the ring's own
// descriptor table, multishot receive from a ring of provided buffers, each buffer sent back as
// it is and then recycled, one enter per turn.
#define _GNU_SOURCE
#include "../support/buffer_ring.h"
#include "../support/net.h"

enum { slots = 16384, none = 0xffff };
enum kind { kind_accept, kind_receive, kind_send, kind_close };

// At most one send is in flight per connection: two could be retried out of order once the
// socket is full. What else was received waits in a list of buffers.
struct connection {
    uint16_t first, last;  // buffers to send; `first` is in flight
    unsigned char receiving, ended;
};

static struct ring ring;
static struct buffer_ring buffers;
static struct connection connections[slots];
static struct {
    uint16_t next;
    uint32_t length;
} chunks[32768];
static unsigned starved[slots];  // connections whose receive found no buffer
static unsigned starved_count;

static uint64_t tag(enum kind kind, unsigned slot) { return (uint64_t)slot << 8 | kind; }

static void start_accept(int listener) {
    struct io_uring_sqe* sqe = ring_sqe(&ring);
    sqe->opcode = IORING_OP_ACCEPT;
    sqe->fd = listener;
    sqe->ioprio = IORING_ACCEPT_MULTISHOT;
    sqe->file_index = IORING_FILE_INDEX_ALLOC;
    sqe->user_data = tag(kind_accept, 0);
}

static void start_receive(unsigned slot) {
    struct io_uring_sqe* sqe = ring_sqe(&ring);
    sqe->opcode = IORING_OP_RECV;
    sqe->fd = (int)slot;
    sqe->flags = IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
    sqe->ioprio = IORING_RECV_MULTISHOT;
    sqe->user_data = tag(kind_receive, slot);
    connections[slot].receiving = 1;
}

static void start_send(unsigned slot) {
    const unsigned id = connections[slot].first;
    struct io_uring_sqe* sqe = ring_sqe(&ring);
    sqe->opcode = IORING_OP_SEND;
    sqe->fd = (int)slot;
    sqe->flags = IOSQE_FIXED_FILE;
    sqe->addr = (uint64_t)(uintptr_t)buffer_ring_at(&buffers, id);
    sqe->len = chunks[id].length;
    sqe->msg_flags = MSG_WAITALL;  // the kernel finishes a short send itself
    sqe->user_data = tag(kind_send, slot);
}

static void close_if_over(unsigned slot) {
    struct connection* c = &connections[slot];
    if (!c->ended || c->receiving || c->first != none) return;
    c->ended = 0;
    struct io_uring_sqe* sqe = ring_sqe(&ring);
    sqe->opcode = IORING_OP_CLOSE;
    sqe->file_index = slot + 1;
    sqe->user_data = tag(kind_close, slot);
}

static void on_accept(const struct io_uring_cqe* cqe, int listener) {
    if (cqe->res >= 0) {
        const unsigned slot = (unsigned)cqe->res;
        connections[slot] = (struct connection){.first = none, .last = none};
        start_receive(slot);
    }
    if (!(cqe->flags & IORING_CQE_F_MORE)) start_accept(listener);
}

static void on_receive(const struct io_uring_cqe* cqe, unsigned slot) {
    struct connection* c = &connections[slot];
    if (!(cqe->flags & IORING_CQE_F_MORE)) c->receiving = 0;
    const unsigned id = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
    if (cqe->res > 0) {
        chunks[id].next = none;
        chunks[id].length = (uint32_t)cqe->res;
        if (c->first == none) {
            c->first = c->last = (uint16_t)id;
            start_send(slot);
        } else {
            chunks[c->last].next = (uint16_t)id;
            c->last = (uint16_t)id;
        }
        if (!c->receiving) start_receive(slot);
        return;
    }
    if (cqe->flags & IORING_CQE_F_BUFFER) buffer_ring_return(&buffers, id);
    if (cqe->res == -ENOBUFS) {
        starved[starved_count++] = slot;
        return;
    }
    c->ended = 1;
    close_if_over(slot);
}

static void on_send(const struct io_uring_cqe* cqe, unsigned slot) {
    struct connection* c = &connections[slot];
    const unsigned id = c->first;
    c->first = chunks[id].next;
    buffer_ring_return(&buffers, id);
    if (cqe->res != (int)chunks[id].length) {
        // The peer is gone: drop what waits. The receive ends by itself.
        while (c->first != none) {
            buffer_ring_return(&buffers, c->first);
            c->first = chunks[c->first].next;
        }
    }
    if (c->first != none) start_send(slot);
    close_if_over(slot);
}

static void turn(int listener) {
    ring_enter(&ring, 1, NULL);
    const uint16_t tail = buffers.local_tail;
    const unsigned ready = ring_cq_ready(&ring);
    for (unsigned i = 0; i < ready; ++i) {
        const struct io_uring_cqe* cqe = ring_cqe(&ring, i);
        const unsigned slot = (unsigned)(cqe->user_data >> 8);
        switch ((enum kind)(cqe->user_data & 0xff)) {
            case kind_accept:
                on_accept(cqe, listener);
                break;
            case kind_receive:
                on_receive(cqe, slot);
                break;
            case kind_send:
                on_send(cqe, slot);
                break;
            case kind_close:
                break;
        }
    }
    ring_seen(&ring, ready);
    if (buffers.local_tail == tail) return;
    buffer_ring_publish(&buffers);
    while (starved_count > 0) start_receive(starved[--starved_count]);
}

int main(int argc, char** argv) {
    const int listener = listen_on(option_number(argc, argv, "--port", 7000));
    const size_t buffer_bytes = (size_t)option_number(argc, argv, "--buffer", 4096);
    // Few enough to stay in the cache, since the ring hands them out in turn; enough for a turn.
    unsigned count = 512;
    while (count > 16 && count * buffer_bytes > 2U << 20) count /= 2;
    count = (unsigned)option_number(argc, argv, "--buffers", (long)count);
    ring_open(&ring, 1024, 4 * slots);
    struct io_uring_rsrc_register table = {.nr = slots, .flags = IORING_RSRC_REGISTER_SPARSE};
    if (ring_register(&ring, IORING_REGISTER_FILES2, &table, sizeof table) < 0)
        ring_die("registering the descriptor table");
    buffer_ring_open(&buffers, &ring, 0, count, buffer_bytes);
    start_accept(listener);
    for (;;) turn(listener);
}
