// Random 4 KiB reads with O_DIRECT at a fixed depth: a task per slot, each with a part of one
// registered buffer. Prints one line of JSON.
//
//     bench_file_read --file F [--depth N] [--seconds S] [--warmup S] [--driver NAME]
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <upcall/upcall.hpp>

#include "../support/subject.hpp"

using namespace upcall;
using namespace upcall_bench;

namespace {

constexpr std::size_t block_bytes = 4096;

struct settings {
    std::string file;
    unsigned depth = 32;
    double seconds = 3;
    double warmup = 1;
    std::string driver;
};

struct progress {
    std::uint64_t blocks = 0;
    std::uint64_t reads = 0;
    random_numbers random;
    bool over = false;

    std::uint64_t random_offset() noexcept { return random.below(blocks) * block_bytes; }
};

task<> read_on(file& from, byte_span buffer, progress& so_far) {
    while (!so_far.over) {
        const auto got = co_await from.read_at(buffer, so_far.random_offset());
        if (!got) die("a read", got.error());
        if (*got != block_bytes) die("a short read", errc::end_of_stream);
        ++so_far.reads;
    }
}

task<> measure(const settings& chosen) {
    auto opened = co_await file::open(chosen.file, open_read | open_direct);
    if (!opened) die(chosen.file, opened.error());
    const auto about = co_await opened->status();
    if (!about) die(chosen.file, about.error());
    progress so_far;
    so_far.blocks = about->size / block_bytes;
    if (so_far.blocks == 0) die(chosen.file + ": shorter than a block", errc::end_of_stream);
    auto buffers = registered_buffer::create(chosen.depth * block_bytes);
    if (!buffers) die("a buffer", buffers.error());
    co_await with_scope([&](scope& readers) -> task<> {
        for (unsigned slot = 0; slot < chosen.depth; ++slot)
            readers.spawn_now(
                read_on(*opened, buffers->span().subspan(slot * block_bytes, block_bytes), so_far),
                "reader");
        co_await sleep(
            std::chrono::duration_cast<duration>(std::chrono::duration<double>(chosen.warmup)));
        const auto start = std::chrono::steady_clock::now();
        const double cpu = cpu_seconds();
        const std::uint64_t before = so_far.reads;
        co_await sleep(
            std::chrono::duration_cast<duration>(std::chrono::duration<double>(chosen.seconds)));
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        const double used = cpu_seconds() - cpu;
        const std::uint64_t reads = so_far.reads - before;
        so_far.over = true;
        std::printf(
            "{\"depth\":%u,\"reads\":%llu,\"seconds\":%.6f,\"reads_per_second\":%.1f,"
            "\"cpu_seconds\":%.6f}\n",
            chosen.depth, static_cast<unsigned long long>(reads), took.count(),
            static_cast<double>(reads) / took.count(), used);
    });
}

}  // namespace

int main(int count, char** words) {
    settings chosen;
    for (int at = 1; at + 1 < count; at += 2) {
        const std::string_view name = words[at];
        const char* value = words[at + 1];
        if (name == "--file") chosen.file = value;
        if (name == "--depth") chosen.depth = static_cast<unsigned>(std::atoi(value));
        if (name == "--seconds") chosen.seconds = std::atof(value);
        if (name == "--warmup") chosen.warmup = std::atof(value);
        if (name == "--driver") chosen.driver = value;
    }
    run_options how;
    how.driver.name = chosen.driver;
    return run(measure(chosen), how);
}
