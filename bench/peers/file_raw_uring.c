// Reference reader: random 4 KiB reads with O_DIRECT at a fixed depth on io_uring, without a
// library: registered file, registered buffers, one enter per turn. Prints one line of JSON.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/stat.h>

#include "../support/clock.h"
#include "../support/net.h"
#include "../support/ring.h"

enum { block_bytes = 4096 };

static struct ring ring;
static unsigned char* memory;
static uint64_t blocks, random_state = 88172645463325252U;

static uint64_t random_block(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (random_state >> 11) % blocks;
}

static void start_read(unsigned slot) {
    struct io_uring_sqe* sqe = ring_sqe(&ring);
    sqe->opcode = IORING_OP_READ_FIXED;
    sqe->flags = IOSQE_FIXED_FILE;
    sqe->fd = 0;  // the index in the table
    sqe->off = random_block() * block_bytes;
    sqe->addr = (uint64_t)(uintptr_t)(memory + (size_t)slot * block_bytes);
    sqe->len = block_bytes;
    sqe->buf_index = 0;
    sqe->user_data = slot;
}

static void open_file(const char* path) {
    int fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
    struct stat about;
    if (fd < 0 || fstat(fd, &about) != 0) net_die(path);
    blocks = (uint64_t)about.st_size / block_bytes;
    if (blocks == 0) {
        fprintf(stderr, "%s: shorter than a block\n", path);
        exit(1);
    }
    if (ring_register(&ring, IORING_REGISTER_FILES, &fd, 1) < 0) ring_die("registering the file");
}

static void register_buffers(unsigned depth) {
    const size_t bytes = (size_t)depth * block_bytes;
    if (posix_memalign((void**)&memory, block_bytes, bytes) != 0) net_die("memory");
    memset(memory, 0, bytes);
    struct iovec all = {memory, bytes};
    if (ring_register(&ring, IORING_REGISTER_BUFFERS, &all, 1) < 0)
        ring_die("registering the buffers");
}

// Reads until `until`, keeping every slot busy; returns how many reads ended.
static uint64_t read_until(uint64_t until) {
    uint64_t reads = 0;
    while (now_ns() < until) {
        ring_enter(&ring, 1, NULL);
        const unsigned ready = ring_cq_ready(&ring);
        for (unsigned i = 0; i < ready; ++i) {
            const struct io_uring_cqe* cqe = ring_cqe(&ring, i);
            if (cqe->res != block_bytes) {
                fprintf(stderr, "a read returned %d\n", cqe->res);
                exit(1);
            }
            start_read((unsigned)cqe->user_data);
        }
        ring_seen(&ring, ready);
        reads += ready;
    }
    return reads;
}

int main(int argc, char** argv) {
    const unsigned depth = (unsigned)option_number(argc, argv, "--depth", 32);
    const double seconds = (double)option_number(argc, argv, "--seconds", 3);
    const double warmup = (double)option_number(argc, argv, "--warmup", 1);
    ring_open(&ring, depth, 2 * depth);
    open_file(option_text(argc, argv, "--file", ""));
    register_buffers(depth);
    for (unsigned slot = 0; slot < depth; ++slot) start_read(slot);
    read_until(now_ns() + (uint64_t)(warmup * 1e9));
    const uint64_t start = now_ns(), cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    const uint64_t reads = read_until(start + (uint64_t)(seconds * 1e9));
    const double took = (double)(now_ns() - start) * 1e-9;
    const double used = (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) * 1e-9;
    printf(
        "{\"depth\":%u,\"reads\":%llu,\"seconds\":%.6f,\"reads_per_second\":%.1f,"
        "\"cpu_seconds\":%.6f}\n",
        depth, (unsigned long long)reads, took, (double)reads / took, used);
    return 0;
}
