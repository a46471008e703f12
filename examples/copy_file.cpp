// Copies a file. The loop is never blocked, though files always block in some kernels: while the
// copy runs, a second task says how far it is.
//
//     copy_file FROM TO
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <upcall/upcall.hpp>

using namespace upcall;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t piece_bytes = std::uint64_t{16} << 20;

int failed(const char* what, const std::error_code& why) {
    std::fprintf(stderr, "%s: %s\n", what, why.message().c_str());
    return 1;
}

task<> report(const std::uint64_t& copied, std::uint64_t size) {
    for (;;) {
        const auto slept = co_await sleep(200ms);
        if (!slept) co_return;  // cancelled
        std::printf("%llu of %llu bytes\n", static_cast<unsigned long long>(copied),
                    static_cast<unsigned long long>(size));
    }
}

task<int> copy_file(const char* from_name, const char* to_name) {
    auto from = co_await file::open(from_name, open_read);
    if (!from) co_return failed(from_name, from.error());
    const auto seen = co_await from->status();
    if (!seen) co_return failed(from_name, seen.error());
    if (seen->type == file_type::directory)  // which opens, but has no bytes
        co_return failed(from_name, std::make_error_code(std::errc::is_a_directory));
    // A name of its own until it is complete: nobody ever sees half a copy.
    const std::string unfinished = std::string(to_name) + ".part";
    auto to = co_await file::open(unfinished, open_write | open_create | open_truncate);
    if (!to) co_return failed(unfinished.c_str(), to.error());
    std::uint64_t copied = 0;
    std::error_code why;
    co_await with_scope([&](scope& side) -> task<> {
        side.spawn_now(report(copied, seen->size), "report");
        while (!why) {
            const auto some = co_await copy(*from, *to, piece_bytes, copied, copied);
            why = some.cause;
            copied += some.bytes;
            if (!why && some.bytes == 0) break;  // the end of the source
        }
        side.cancel();
    });
    // A copy does not tell which of its files went wrong.
    const std::string what = why ? std::string(from_name) + " to " + to_name : to_name;
    if (!why) {
        const auto synced = co_await to->sync();
        if (!synced) why = synced.error();
    }
    if (!why) {
        const auto renamed = co_await rename(unfinished, to_name);
        if (!renamed) why = renamed.error();
    }
    if (why) {
        static_cast<void>(co_await remove_file(unfinished));
        co_return failed(what.c_str(), why);
    }
    std::printf("copied %llu bytes\n", static_cast<unsigned long long>(copied));
    co_return 0;
}

}  // namespace

int main(int count, char** words) {
    if (count != 3) {
        std::fprintf(stderr, "usage: copy_file FROM TO\n");
        return 2;
    }
    return run(copy_file(words[1], words[2]));
}
