// What the server cost: its own CPU clock, and what its core did in all, softirq included.
#ifndef UPCALL_BENCH_SERVER_CPU_H
#define UPCALL_BENCH_SERVER_CPU_H

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../support/clock.h"

struct server_cpu {
    double process;                // seconds of all threads of the process, exact
    double busy, softirq, stolen;  // seconds of the core, to the tick
};

// `pid` 0 and `core` -1 mean: not watched.
static inline struct server_cpu server_cpu_read(pid_t pid, long core) {
    struct server_cpu sample = {0, 0, 0, 0};
    clockid_t clock;
    if (pid > 0 && clock_getcpuclockid(pid, &clock) == 0)
        sample.process = (double)clock_ns(clock) * 1e-9;
    char name[32], line[512];
    const int length = snprintf(name, sizeof name, "cpu%ld ", core);
    FILE* file = core < 0 ? NULL : fopen("/proc/stat", "r");
    if (!file) return sample;
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, name, (size_t)length) != 0) continue;
        // user nice system idle iowait irq softirq steal (proc_stat(5))
        unsigned long long v[8] = {0};
        if (sscanf(line + length, "%llu %llu %llu %llu %llu %llu %llu %llu", v, v + 1, v + 2, v + 3,
                   v + 4, v + 5, v + 6, v + 7) == 8) {
            const double tick = 1.0 / (double)sysconf(_SC_CLK_TCK);
            sample.busy = (double)(v[0] + v[1] + v[2] + v[5] + v[6]) * tick;
            sample.softirq = (double)v[6] * tick;
            sample.stolen = (double)v[7] * tick;
        }
        break;
    }
    fclose(file);
    return sample;
}
#endif
