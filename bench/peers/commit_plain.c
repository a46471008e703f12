/* Durable appends of 4 KiB to one file, as they are written without a library: each committer is a
 * thread that takes the next place in the file, writes there, and calls fdatasync. Prints one line
 * of JSON.
 *
 *     commit_plain --file F [--committers N] [--seconds S] [--warmup S]
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { block_bytes = 4096, committers_max = 1024 };

static int file = -1;
static atomic_bool over;
static atomic_uint_least64_t next_block;
static atomic_uint_least64_t commits;

static void die(const char* what) {
    perror(what);
    exit(1);
}

static double now(clockid_t clock) {
    struct timespec read;
    clock_gettime(clock, &read);
    return (double)read.tv_sec + (double)read.tv_nsec * 1e-9;
}

static void pause_for(double seconds) {
    struct timespec length = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&length, NULL);
}

static void* commit(void* unused) {
    char block[block_bytes];
    memset(block, 'x', sizeof block);
    while (!atomic_load_explicit(&over, memory_order_relaxed)) {
        const off_t offset = (off_t)atomic_fetch_add(&next_block, 1) * block_bytes;
        if (pwrite(file, block, sizeof block, offset) != (ssize_t)sizeof block) die("a write");
        if (fdatasync(file) != 0) die("a sync");
        atomic_fetch_add_explicit(&commits, 1, memory_order_relaxed);
    }
    return unused;
}

int main(int count, char** words) {
    const char* name = "data";
    int committers = 1;
    double seconds = 3;
    double warmup = 1;
    for (int at = 1; at + 1 < count; at += 2) {
        if (strcmp(words[at], "--file") == 0) name = words[at + 1];
        if (strcmp(words[at], "--committers") == 0) committers = atoi(words[at + 1]);
        if (strcmp(words[at], "--seconds") == 0) seconds = atof(words[at + 1]);
        if (strcmp(words[at], "--warmup") == 0) warmup = atof(words[at + 1]);
    }
    if (committers < 1 || committers > committers_max) {
        fprintf(stderr, "--committers %d; from 1 to %d\n", committers, committers_max);
        return 2;
    }
    file = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0) die(name);
    static pthread_t threads[committers_max];
    for (int who = 0; who < committers; ++who)
        if (pthread_create(&threads[who], NULL, commit, NULL) != 0) die("a thread");
    pause_for(warmup);
    const double start = now(CLOCK_MONOTONIC);
    const double cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    const uint64_t before = atomic_load(&commits);
    pause_for(seconds);
    const double took = now(CLOCK_MONOTONIC) - start;
    const double used = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    const uint64_t done = atomic_load(&commits) - before;
    atomic_store(&over, true);
    for (int who = 0; who < committers; ++who) pthread_join(threads[who], NULL);
    printf(
        "{\"committers\":%d,\"commits\":%llu,\"seconds\":%.6f,\"commits_per_second\":%.1f,"
        "\"cpu_seconds\":%.6f}\n",
        committers, (unsigned long long)done, took, (double)done / took, used);
    return 0;
}
