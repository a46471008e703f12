// Messages on open connections: one in flight per connection, each checked when it is back.
#ifndef UPCALL_BENCH_EXCHANGE_H
#define UPCALL_BENCH_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../support/buffer_ring.h"

struct message {
    uint64_t since_ns;       // sent, or due in the open loop
    uint32_t sequence;       // of the message in flight
    uint32_t received;       // bytes of it
    unsigned char* storage;  // long messages only
};

struct exchange {
    struct ring ring;
    struct buffer_ring buffers;
    struct message* messages;  // by connection
    unsigned char* pattern;
    size_t message_bytes;
    unsigned connections, in_flight;
    // Called when the message of connection `id` is back; may start the next.
    void (*done)(struct exchange* exchange, unsigned id);
};

// `fds` are connected sockets; `done` must be set before the first message.
void exchange_open(struct exchange* x, const int* fds, unsigned connections, size_t message_bytes);

// Queues the connection's next message, which counts from `since_ns`.
void exchange_start(struct exchange* x, unsigned id, uint64_t since_ns);

// Handles what has completed. Exits with a message if a connection ended or a byte differs.
void exchange_handle(struct exchange* x);

// Submits, and waits for a completion until the clock reads `until` at the latest.
void exchange_wait(struct exchange* x, uint64_t now, uint64_t until);

// Submits, and looks for a completion without sleeping until the clock reads `until`.
void exchange_spin(struct exchange* x, uint64_t until);

#endif
