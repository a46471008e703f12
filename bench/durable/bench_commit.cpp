// Durable appends of 4 KiB to one file, by so many committers, each of which waits for one before
// it makes the next. Prints one line of JSON.
//
//     bench_commit --file F [--committers N] [--seconds S] [--warmup S] [--driver NAME]
//                  [--way sync_after|write_through]
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <upcall/upcall.hpp>
#include <vector>

#include "../support/subject.hpp"

using namespace upcall;
using namespace upcall_bench;

namespace {

constexpr std::size_t block_bytes = 4096;

struct settings {
    std::string file;
    unsigned committers = 64;
    double seconds = 3;
    double warmup = 1;
    std::string driver;
    writer_options how{};
};

struct progress {
    std::uint64_t commits = 0;
    bool over = false;
};

duration length_of(double seconds) {
    return std::chrono::duration_cast<duration>(std::chrono::duration<double>(seconds));
}

task<> commit_on(ordered_writer& to, progress& so_far) {
    const std::vector<std::byte> block(block_bytes, std::byte{'x'});
    while (!so_far.over) {
        const auto added = co_await to.commit(block);
        if (!added) die("a commit", added.cause);
        ++so_far.commits;
    }
}

task<> measure(const settings& chosen) {
    auto opened = co_await ordered_writer::open(chosen.file, chosen.how);
    if (!opened) die(chosen.file, opened.error());
    progress so_far;
    co_await with_scope([&](scope& committers) -> task<> {
        for (unsigned who = 0; who < chosen.committers; ++who)
            committers.spawn_now(commit_on(*opened, so_far), "committer");
        co_await sleep(length_of(chosen.warmup));
        const auto start = std::chrono::steady_clock::now();
        const double cpu = cpu_seconds();
        const std::uint64_t before = so_far.commits;
        co_await sleep(length_of(chosen.seconds));
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        const double used = cpu_seconds() - cpu;
        const std::uint64_t commits = so_far.commits - before;
        so_far.over = true;
        std::printf(
            "{\"committers\":%u,\"commits\":%llu,\"seconds\":%.6f,\"commits_per_second\":%.1f,"
            "\"cpu_seconds\":%.6f,\"way\":\"%s\"}\n",
            chosen.committers, static_cast<unsigned long long>(commits), took.count(),
            static_cast<double>(commits) / took.count(), used,
            opened->way() == sync_way::write_through ? "write_through" : "sync_after");
    });
}

}  // namespace

int main(int count, char** words) {
    settings chosen;
    for (int at = 1; at + 1 < count; at += 2) {
        const std::string_view name = words[at];
        const char* value = words[at + 1];
        if (name == "--file") chosen.file = value;
        if (name == "--committers") chosen.committers = static_cast<unsigned>(std::atoi(value));
        if (name == "--seconds") chosen.seconds = std::atof(value);
        if (name == "--warmup") chosen.warmup = std::atof(value);
        if (name == "--driver") chosen.driver = value;
        if (name == "--way")
            chosen.how.way = std::string_view(value) == "write_through" ? sync_way::write_through
                                                                        : sync_way::sync_after;
    }
    run_options how;
    how.driver.name = chosen.driver;
    return run(measure(chosen), how);
}
