// A ring of provided buffers: the kernel takes one from its front when data arrives, and the
// program returns it at the back. An idle connection thus owns no buffer.
#ifndef UPCALL_BENCH_BUFFER_RING_H
#define UPCALL_BENCH_BUFFER_RING_H

#include "ring.h"

struct buffer_ring {
    struct io_uring_buf_ring* entries;
    unsigned char* memory;
    size_t buffer_bytes;
    unsigned mask;
    uint16_t local_tail;
};

static inline unsigned char* buffer_ring_at(const struct buffer_ring* b, unsigned id) {
    return b->memory + (size_t)id * b->buffer_bytes;
}

// Gives buffer `id` back; the kernel sees it at the next publish.
static inline void buffer_ring_return(struct buffer_ring* b, unsigned id) {
    // Entry 0 shares its last two bytes with the tail, so the fields are stored one by one.
    struct io_uring_buf* entry = (struct io_uring_buf*)b->entries + (b->local_tail++ & b->mask);
    entry->addr = (uint64_t)(uintptr_t)buffer_ring_at(b, id);
    entry->len = (uint32_t)b->buffer_bytes;
    entry->bid = (uint16_t)id;
}

static inline void buffer_ring_publish(struct buffer_ring* b) {
    atomic_store_explicit((_Atomic uint16_t*)&b->entries->tail, b->local_tail,
                          memory_order_release);
}

// `count` is a power of two, at most 32,768.
static inline void buffer_ring_open(struct buffer_ring* b, struct ring* r, uint16_t group,
                                    unsigned count, size_t buffer_bytes) {
    const int protection = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;
    b->entries = mmap(NULL, count * sizeof(struct io_uring_buf), protection, flags, -1, 0);
    b->memory = mmap(NULL, count * buffer_bytes, protection, flags, -1, 0);
    if ((void*)b->entries == MAP_FAILED || (void*)b->memory == MAP_FAILED)
        ring_die("mmap of the buffers");
    b->buffer_bytes = buffer_bytes;
    b->mask = count - 1;
    b->local_tail = 0;
    struct io_uring_buf_reg description = {
        .ring_addr = (uint64_t)(uintptr_t)b->entries, .ring_entries = count, .bgid = group};
    if (ring_register(r, IORING_REGISTER_PBUF_RING, &description, 1) < 0)
        ring_die("registering the buffer ring");
    for (unsigned id = 0; id < count; ++id) buffer_ring_return(b, id);
    buffer_ring_publish(b);
}
#endif
