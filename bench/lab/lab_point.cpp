// One point of `upcall lab`, by the laboratory's own code and on a file or a load of the caller's,
// so that it can be held against a peer's. Prints one line of JSON.
//
//     lab_point --file F --way WAY [--depth N] [--direct 0|1] [--seconds S] [--warmup S]
//     lab_point --server SERVER --connections N [--seconds S] [--warmup S]
//
// WAY and SERVER are called as in the laboratory's charts: "threads", "io_uring", "Linux AIO",
// "POSIX AIO"; "plain epoll", "threads", "uring".
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <upcall/os/limits.hpp>

#include "lab/findings.hpp"
#include "lab/load.hpp"
#include "lab/owned_fd.hpp"
#include "lab/run.hpp"
#include "lab/storage_ways.hpp"
#include "lab/words.hpp"

using namespace upcall_lab;

namespace {

struct settings {
    std::string file;
    std::string way;
    std::string server;
    unsigned depth = 32;
    unsigned connections = 64;
    bool direct = true;
    double seconds = 3;
    double warmup = 1;
};

void read_file(const settings& chosen) {
    const owned_fd file(
        ::open(chosen.file.c_str(), O_RDONLY | O_CLOEXEC | (chosen.direct ? O_DIRECT : 0)));
    struct stat about{};
    if (file.get() < 0 || ::fstat(file.get(), &about) != 0)
        throw lab_error(failed("open '" + chosen.file + "'", errno));
    read_plan plan{.way = chosen.way,
                   .file = file.get(),
                   .direct = chosen.direct,
                   .blocks = static_cast<std::uint64_t>(about.st_size) / block_bytes,
                   .depth = chosen.depth,
                   .seconds = chosen.warmup};
    if (plan.seconds > 0) read_blocks(plan);
    plan.seconds = chosen.seconds;
    const read_outcome seen = read_blocks(plan);
    const double reads = seen.reads_per_second * chosen.seconds;
    std::printf("{\"reads\":%.0f,\"reads_per_second\":%.1f,\"cpu_seconds\":%.6f}\n", reads,
                seen.reads_per_second, seen.cpu_ns * reads / 1e9);
}

void load_one(const settings& chosen) {
    const load_plan plan{.server = chosen.server,
                         .over = transport::tcp,
                         .connections = chosen.connections,
                         .warm_up_seconds = chosen.warmup,
                         .seconds = chosen.seconds,
                         .works = false};
    const load_outcome seen = load_server(plan);
    std::printf("{\"requests_per_second\":%.1f,\"cpu_ns_per_request\":%.1f}\n",
                seen.messages_per_second, seen.cpu_ns);
}

}  // namespace

int main(int count, char** words) {
    settings chosen;
    for (int at = 1; at + 1 < count; at += 2) {
        const std::string_view name = words[at];
        const char* const value = words[at + 1];
        if (name == "--file") chosen.file = value;
        if (name == "--way") chosen.way = value;
        if (name == "--server") chosen.server = value;
        if (name == "--depth") chosen.depth = static_cast<unsigned>(std::atoi(value));
        if (name == "--connections") chosen.connections = static_cast<unsigned>(std::atoi(value));
        if (name == "--direct") chosen.direct = std::string_view(value) != "0";
        if (name == "--seconds") chosen.seconds = std::atof(value);
        if (name == "--warmup") chosen.warmup = std::atof(value);
    }
    try {
        note_cores();
        upcall::raise_descriptor_limit();
        if (chosen.server.empty())
            read_file(chosen);
        else
            load_one(chosen);
        return 0;
    } catch (const std::exception& wrong) {
        std::fprintf(stderr, "%s\n", wrong.what());
        return 1;
    }
}
