// Reads a file once, from its beginning to its end, past the page cache, with so many reads in
// flight: by tasks, or by a foreign event loop over epoll that sees a descriptor which is readable
// when the next chunk is there. Prints one line of JSON.
//
//     bench_polled_file --file F --reader tasks|epoll [--depth N] [--chunk BYTES] [--driver NAME]
#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <upcall/io/polled_file.hpp>
#include <upcall/upcall.hpp>

#include "../support/subject.hpp"

using namespace upcall;
using namespace upcall_bench;

namespace {

struct settings {
    std::string file;
    std::string reader = "tasks";
    std::size_t depth = 32;
    std::size_t chunk_bytes = 4096;
    std::string driver;
};

/// Time and CPU from its making on.
class stopwatch {
  public:
    void tell(std::size_t depth, std::uint64_t reads) const {
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start_;
        std::printf(
            "{\"depth\":%zu,\"reads\":%llu,\"seconds\":%.6f,\"reads_per_second\":%.1f,"
            "\"cpu_seconds\":%.6f}\n",
            depth, static_cast<unsigned long long>(reads), took.count(),
            static_cast<double>(reads) / took.count(), cpu_seconds() - cpu_);
    }

  private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    double cpu_ = cpu_seconds();
};

task<file> open_file(const settings& chosen) {
    auto opened = co_await file::open(chosen.file, open_read | open_direct);
    if (!opened) die(chosen.file, opened.error());
    co_return std::move(*opened);
}

struct progress {
    std::uint64_t next = 0;
    std::uint64_t reads = 0;
    bool over = false;
};

task<> read_on(file& from, byte_span buffer, progress& so_far) {
    while (!so_far.over) {
        const std::uint64_t offset = so_far.next;
        so_far.next += buffer.size();
        const auto got = co_await from.read_at(buffer, offset);
        if (!got) die("a read", got.error());
        if (*got == 0)
            so_far.over = true;
        else
            ++so_far.reads;
    }
}

task<> read_by_tasks(const settings& chosen) {
    file from = co_await open_file(chosen);
    auto buffers = registered_buffer::create(chosen.depth * chosen.chunk_bytes);
    if (!buffers) die("a buffer", buffers.error());
    progress so_far;
    const stopwatch watch;
    co_await with_scope([&](scope& readers) -> task<> {
        for (std::size_t slot = 0; slot < chosen.depth; ++slot)
            readers.spawn_now(
                read_on(from,
                        buffers->span().subspan(slot * chosen.chunk_bytes, chosen.chunk_bytes),
                        so_far),
                "reader");
        co_return;
    });
    watch.tell(chosen.depth, so_far.reads);
}

task<> begin(const settings& chosen, scope& in, polled_file& into) {
    file from = co_await open_file(chosen);
    auto made = polled_file::start(in, std::move(from),
                                   {.chunk_bytes = chosen.chunk_bytes, .depth = chosen.depth});
    if (!made) die("a polled file", made.error());
    into = std::move(*made);
}

void watch_for_reading(int set, native_handle descriptor) {
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    if (::epoll_ctl(set, EPOLL_CTL_ADD, static_cast<int>(descriptor), &wanted) != 0)
        die("epoll", {errno, std::generic_category()});
}

int read_by_epoll(const settings& chosen) {
    auto home = make_loop({.name = chosen.driver}, {.embedded = true});
    if (!home) die("a loop", home.error());
    const auto inner = (*home)->native_handle();
    if (!inner) die("the loop's descriptor", inner.error());
    scope tasks((*home)->root());
    {
        polled_file data;
        tasks.spawn_now(begin(chosen, tasks, data), "begin");
        const stopwatch watch;
        while (!data) (*home)->turn(loop::wait::allowed);
        const descriptor set(::epoll_create1(EPOLL_CLOEXEC));
        watch_for_reading(static_cast<int>(set.get()), *inner);
        watch_for_reading(static_cast<int>(set.get()), data.descriptor());
        std::uint64_t reads = 0;
        for (std::error_code why; why != errc::end_of_stream;) {
            std::array<epoll_event, 2> found{};
            ::epoll_wait(static_cast<int>(set.get()), found.data(), 2,
                         (*home)->wait_milliseconds());
            (*home)->turn(loop::wait::none);
            auto chunk = data.next();
            for (; chunk; chunk = data.next()) ++reads;
            why = chunk.error();
            if (why != errc::end_of_stream && why != std::errc::operation_would_block)
                die("a read", why);
        }
        watch.tell(chosen.depth, reads);
    }
    (*home)->run_until([&] { return tasks.size() == 0; });
    return 0;
}

}  // namespace

int main(int count, char** words) {
    settings chosen;
    for (int at = 1; at + 1 < count; at += 2) {
        const std::string_view name = words[at];
        const char* value = words[at + 1];
        if (name == "--file") chosen.file = value;
        if (name == "--reader") chosen.reader = value;
        if (name == "--depth") chosen.depth = static_cast<std::size_t>(std::atol(value));
        if (name == "--chunk") chosen.chunk_bytes = static_cast<std::size_t>(std::atol(value));
        if (name == "--driver") chosen.driver = value;
    }
    if (chosen.reader == "epoll") return read_by_epoll(chosen);
    run_options how;
    how.driver.name = chosen.driver;
    return run(read_by_tasks(chosen), how);
}
