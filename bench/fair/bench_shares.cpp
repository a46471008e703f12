// What two task classes get of one loop's time, or of one file's transfers, when both want all of
// it: requests in a class of 1,000 shares, a compaction in one of 100. Prints one line of JSON.
//
//     bench_shares [--file F] [--depth N] [--classes 0|1] [--seconds S] [--warmup S]
//                  [--driver NAME]
//
// Without a file: 32 tasks that each answer one request after the other, a computation of a few
// microseconds, beside one task that computes for ever, with check points. With a file: 64 tasks
// each that read 4 KiB at random, past the page cache, through a limit of `depth`.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <upcall/upcall.hpp>

#include "../support/subject.hpp"

using namespace upcall;
using namespace upcall_bench;

namespace {

constexpr std::uint32_t shares_of_requests = 1000;
constexpr std::uint32_t shares_of_compaction = 100;
constexpr unsigned requests_at_once = 32;
constexpr unsigned blocks_of_request = 8;
constexpr unsigned blocks_to_checkpoint = 16;
constexpr unsigned readers_per_class = 64;
constexpr std::size_t block_bytes = 4096;

struct settings {
    std::string file;
    unsigned depth = 32;
    bool classes = true;
    double seconds = 3;
    double warmup = 1;
    std::string driver;
};

/// What each side has got done: blocks computed, or read.
struct progress {
    std::uint64_t requests = 0;
    std::uint64_t compaction = 0;
    std::uint64_t computed = 1;
    random_numbers random;
    std::uint64_t file_blocks = 0;
    bool over = false;

    /// As much as a checksum of 4 KiB.
    void compute_block() noexcept {
        for (std::uint64_t at = 0; at < block_bytes / sizeof at; ++at)
            computed = (computed ^ at) * 0x9e3779b97f4a7c15U;
    }
    std::uint64_t random_offset() noexcept { return random.below(file_blocks) * block_bytes; }
};

duration length_of(double seconds) {
    return std::chrono::duration_cast<duration>(std::chrono::duration<double>(seconds));
}

task<> answer_requests(progress& so_far) {
    while (!so_far.over) {
        for (unsigned block = 0; block < blocks_of_request; ++block) so_far.compute_block();
        so_far.requests += blocks_of_request;
        co_await yield();
    }
}

task<> compact(progress& so_far) {
    while (!so_far.over) {
        for (unsigned block = 0; block < blocks_to_checkpoint; ++block) so_far.compute_block();
        so_far.compaction += blocks_to_checkpoint;
        const auto go_on = co_await this_task::checkpoint();
        if (!go_on) co_return;
    }
}

task<> read_blocks(file& from, byte_span into, progress& so_far, std::uint64_t& counted) {
    while (!so_far.over) {
        const auto got = co_await from.read_at(into, so_far.random_offset());
        if (!got) die("a read", got.error());
        if (*got != block_bytes) die("a short read", errc::end_of_stream);
        ++counted;
    }
}

/// Both sides' tasks, in the classes, or all in the loop's own.
struct sides {
    scope& tasks;
    task_class* requests;
    task_class* compaction;

    static void spawn(scope& in, task<> what, task_class* of, const char* name) {
        if (of)
            in.spawn_now(std::move(what), *of, name);
        else
            in.spawn_now(std::move(what), name);
    }
    void request(task<> what) const { spawn(tasks, std::move(what), requests, "request"); }
    void compact(task<> what) const { spawn(tasks, std::move(what), compaction, "compaction"); }
};

/// Measures what is already running, and ends it.
task<> measure_running(const settings& chosen, progress& so_far) {
    co_await sleep(length_of(chosen.warmup));
    const auto start = std::chrono::steady_clock::now();
    const std::uint64_t requests = so_far.requests;
    const std::uint64_t compaction = so_far.compaction;
    co_await sleep(length_of(chosen.seconds));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    const auto of_requests = static_cast<double>(so_far.requests - requests);
    const auto of_compaction = static_cast<double>(so_far.compaction - compaction);
    so_far.over = true;
    constexpr double asked =
        static_cast<double>(shares_of_compaction) / static_cast<double>(shares_of_requests);
    std::printf(
        "{\"requests_per_second\":%.1f,\"compaction_per_second\":%.1f,\"seconds\":%.6f,"
        "\"got_of_asked\":%.4f}\n",
        of_requests / took.count(), of_compaction / took.count(), took.count(),
        of_compaction / of_requests / asked);
}

task<> share_processor(const settings& chosen, sides both, progress& so_far) {
    for (unsigned at = 0; at < requests_at_once; ++at) both.request(answer_requests(so_far));
    both.compact(compact(so_far));
    co_await measure_running(chosen, so_far);
}

task<> share_file(const settings& chosen, sides both, progress& so_far) {
    auto opened = co_await file::open(chosen.file, open_read | open_direct);
    if (!opened) die(chosen.file, opened.error());
    const auto about = co_await opened->status();
    if (!about) die(chosen.file, about.error());
    so_far.file_blocks = about->size / block_bytes;
    if (so_far.file_blocks == 0) die(chosen.file + ": too short", errc::end_of_stream);
    const auto limited = opened->limit_transfers(chosen.depth);
    if (!limited) die("a limit", limited.error());
    auto room = registered_buffer::create(2 * readers_per_class * block_bytes);
    if (!room) die("a buffer", room.error());
    // The file and the buffer outlive their readers.
    co_await with_scope([&](scope& readers) -> task<> {
        const sides here{readers, both.requests, both.compaction};
        for (unsigned at = 0; at < readers_per_class; ++at) {
            const byte_span pair = room->span().subspan(2 * at * block_bytes, 2 * block_bytes);
            here.request(read_blocks(*opened, pair.first(block_bytes), so_far, so_far.requests));
            here.compact(read_blocks(*opened, pair.last(block_bytes), so_far, so_far.compaction));
        }
        co_await measure_running(chosen, so_far);
    });
}

task<> measure(const settings& chosen) {
    loop& home = co_await this_task::home();
    std::optional<task_class> requests;
    std::optional<task_class> compaction;
    if (chosen.classes) {
        requests.emplace(home, "requests", task_class_options{.shares = shares_of_requests});
        compaction.emplace(home, "compaction", task_class_options{.shares = shares_of_compaction});
    }
    progress so_far;
    co_await with_scope([&](scope& tasks) -> task<> {
        const sides both{tasks, requests ? &*requests : nullptr,
                         compaction ? &*compaction : nullptr};
        if (chosen.file.empty())
            co_await share_processor(chosen, both, so_far);
        else
            co_await share_file(chosen, both, so_far);
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
        if (name == "--classes") chosen.classes = std::atoi(value) != 0;
        if (name == "--seconds") chosen.seconds = std::atof(value);
        if (name == "--warmup") chosen.warmup = std::atof(value);
        if (name == "--driver") chosen.driver = value;
    }
    run_options how;
    how.driver.name = chosen.driver;
    return run(measure(chosen), how);
}
