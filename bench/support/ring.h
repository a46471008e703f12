// A thin ring over the kernel's io_uring interface, for the reference servers and the load
// generator. It is deliberately not upcall's own ring layer: a peer must not share the code that
// it is compared with. One ring per thread, one io_uring_enter per turn.
#ifndef UPCALL_BENCH_RING_H
#define UPCALL_BENCH_RING_H

#include <errno.h>
#include <linux/io_uring.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// Newer than the header of Linux 6.1, which Debian 12 ships.
#ifndef IORING_SETUP_NO_SQARRAY
#define IORING_SETUP_NO_SQARRAY (1U << 16)
#endif
#ifndef IORING_FEAT_NO_IOWAIT
#define IORING_FEAT_NO_IOWAIT (1U << 17)
#endif
#ifndef IORING_ENTER_NO_IOWAIT
#define IORING_ENTER_NO_IOWAIT (1U << 7)
#endif

struct ring {
    int fd;
    int enter_fd;          // the ring's registered index, or `fd`
    unsigned enter_flags;  // added to every enter
    // Submission side. The kernel sees the tail once per enter.
    _Atomic unsigned *sq_tail, *sq_flags;
    unsigned sq_mask, local_tail, submitted_tail;
    struct io_uring_sqe* sqes;
    // Completion side.
    _Atomic unsigned *cq_head, *cq_tail;
    unsigned cq_mask;
    struct io_uring_cqe* cqes;
};

static inline void ring_die(const char* what) {
    perror(what);
    exit(1);
}

static inline int ring_register(struct ring* r, unsigned opcode, void* arg, unsigned count) {
    return (int)syscall(__NR_io_uring_register, r->fd, opcode, arg, count);
}

static inline void ring_map(struct ring* r, const struct io_uring_params* p) {
    // SINGLE_MMAP (5.4) puts both queues into one mapping; there being no SQ array, the completion
    // queue's entries are its last part.
    const size_t bytes = p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe);
    const int protection = PROT_READ | PROT_WRITE, flags = MAP_SHARED | MAP_POPULATE;
    char* base = mmap(NULL, bytes, protection, flags, r->fd, (off_t)IORING_OFF_SQ_RING);
    r->sqes = mmap(NULL, p->sq_entries * sizeof(struct io_uring_sqe), protection, flags, r->fd,
                   (off_t)IORING_OFF_SQES);
    if (base == MAP_FAILED || (void*)r->sqes == MAP_FAILED) ring_die("mmap of the ring");
    r->sq_tail = (_Atomic unsigned*)(base + p->sq_off.tail);
    r->sq_flags = (_Atomic unsigned*)(base + p->sq_off.flags);
    r->sq_mask = p->sq_entries - 1;
    r->cq_head = (_Atomic unsigned*)(base + p->cq_off.head);
    r->cq_tail = (_Atomic unsigned*)(base + p->cq_off.tail);
    r->cq_mask = p->cq_entries - 1;
    r->cqes = (struct io_uring_cqe*)(base + p->cq_off.cqes);
}

static inline void ring_open(struct ring* r, unsigned sq_entries, unsigned cq_entries) {
    memset(r, 0, sizeof *r);
    struct io_uring_params p = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                 IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE |
                 IORING_SETUP_CLAMP | IORING_SETUP_NO_SQARRAY,
        .cq_entries = cq_entries,
    };
    r->fd = (int)syscall(__NR_io_uring_setup, sq_entries, &p);
    if (r->fd < 0) ring_die("io_uring_setup");
    ring_map(r, &p);
    if (p.features & IORING_FEAT_NO_IOWAIT) r->enter_flags |= IORING_ENTER_NO_IOWAIT;
    r->enter_fd = r->fd;
    struct io_uring_rsrc_update self = {.offset = ~0U, .data = (uint64_t)r->fd};
    if (ring_register(r, IORING_REGISTER_RING_FDS, &self, 1) == 1) {
        r->enter_fd = (int)self.offset;  // the kernel answers with the index
        r->enter_flags |= IORING_ENTER_REGISTERED_RING;
    }
}

// Submits what is queued and waits for `wait` completions; `timeout` may be null. Returns 0, or
// -errno for outcomes that the caller's next turn cures (ETIME, EINTR, EBUSY, EAGAIN).
static inline int ring_enter(struct ring* r, unsigned wait, const struct timespec* timeout) {
    const unsigned count = r->local_tail - r->submitted_tail;
    atomic_store_explicit(r->sq_tail, r->local_tail, memory_order_release);
    unsigned flags = r->enter_flags | IORING_ENTER_GETEVENTS;
    struct io_uring_getevents_arg arg = {.ts = (uint64_t)(uintptr_t)timeout};
    if (timeout) flags |= IORING_ENTER_EXT_ARG;
    const long n = syscall(__NR_io_uring_enter, r->enter_fd, count, wait, flags,
                           timeout ? (void*)&arg : NULL, timeout ? sizeof arg : 0);
    if (n >= 0) {
        r->submitted_tail += (unsigned)n;
        return 0;
    }
    // A wait that timed out or was interrupted after submitting reports what it submitted, so an
    // error here means that nothing was taken.
    if (errno != ETIME && errno != EINTR && errno != EBUSY && errno != EAGAIN)
        ring_die("io_uring_enter");
    return -errno;
}

// A cleared entry. When the queue is full, it is handed to the kernel first.
static inline struct io_uring_sqe* ring_sqe(struct ring* r) {
    while (r->local_tail - r->submitted_tail > r->sq_mask) ring_enter(r, 0, NULL);
    struct io_uring_sqe* sqe = &r->sqes[r->local_tail++ & r->sq_mask];
    memset(sqe, 0, sizeof *sqe);
    return sqe;
}

static inline unsigned ring_cq_ready(const struct ring* r) {
    return atomic_load_explicit(r->cq_tail, memory_order_acquire) -
           atomic_load_explicit(r->cq_head, memory_order_relaxed);
}

// True if an enter would find completions or has to flush them.
static inline int ring_wants_enter(const struct ring* r) {
    return (atomic_load_explicit(r->sq_flags, memory_order_relaxed) &
            (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
}

// Completion `index` of those that are ready.
static inline const struct io_uring_cqe* ring_cqe(const struct ring* r, unsigned index) {
    const unsigned head = atomic_load_explicit(r->cq_head, memory_order_relaxed);
    return &r->cqes[(head + index) & r->cq_mask];
}

// Hands the first `count` completions' entries back to the kernel.
static inline void ring_seen(struct ring* r, unsigned count) {
    const unsigned head = atomic_load_explicit(r->cq_head, memory_order_relaxed);
    atomic_store_explicit(r->cq_head, head + count, memory_order_release);
}
#endif
