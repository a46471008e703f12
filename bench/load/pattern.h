// The bytes of messages. All messages are windows of one random block, so that nothing is copied
// to make one; connection and sequence choose the window, so that bytes of another message, or
// bytes out of order, differ.
#ifndef UPCALL_BENCH_PATTERN_H
#define UPCALL_BENCH_PATTERN_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

enum { pattern_windows = 4096 };

static inline uint64_t random_next(uint64_t* state) {  // xorshift64*
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1dU;
}

static inline unsigned char* pattern_make(size_t message_bytes) {
    const size_t bytes = message_bytes + pattern_windows;
    unsigned char* block = malloc(bytes);
    uint64_t state = 88172645463325252U;
    for (size_t i = 0; block && i < bytes; ++i)
        block[i] = (unsigned char)(random_next(&state) >> 56);
    return block;
}

static inline const unsigned char* pattern_of(const unsigned char* block, uint32_t connection,
                                              uint32_t sequence) {
    return block + (connection * 61U + sequence * 7U) % pattern_windows;
}
#endif
