// Preloaded into a server, counts its calls of the allocator into a file that the runner maps
// too: the one that UPCALL_BENCH_ALLOCATIONS names, 8 bytes long. Coroutine frames and operator new
// of the C++ library come through malloc, so they count.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

extern void* __libc_malloc(size_t);
extern void* __libc_calloc(size_t, size_t);
extern void* __libc_realloc(void*, size_t);
extern void* __libc_memalign(size_t, size_t);

static _Atomic uint64_t unseen, *count = &unseen;

__attribute__((constructor)) static void map_count(void) {
    const char* path = getenv("UPCALL_BENCH_ALLOCATIONS");
    const int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0) return;
    void* shared = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (shared == MAP_FAILED) return;
    count = shared;
    atomic_store(count, 1);  // tells the runner that counting works, should nothing be allocated
}

static void add_one(void) { atomic_fetch_add_explicit(count, 1, memory_order_relaxed); }

void* malloc(size_t bytes) {
    add_one();
    return __libc_malloc(bytes);
}

void* calloc(size_t members, size_t bytes) {
    add_one();
    return __libc_calloc(members, bytes);
}

void* realloc(void* old, size_t bytes) {
    add_one();
    return __libc_realloc(old, bytes);
}

void* memalign(size_t alignment, size_t bytes) {
    add_one();
    return __libc_memalign(alignment, bytes);
}

void* aligned_alloc(size_t alignment, size_t bytes) { return memalign(alignment, bytes); }

int posix_memalign(void** out, size_t alignment, size_t bytes) {
    *out = memalign(alignment, bytes);
    return *out ? 0 : ENOMEM;
}
