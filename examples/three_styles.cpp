// One operation in three styles: awaited, with a callback, and as a future that a thread without a
// loop waits for. It is the same request each time, under the same contract, on the same loop.
//
//     three_styles FILE
#include <array>
#include <cstdio>
#include <thread>
#include <upcall/upcall.hpp>

using namespace upcall;

namespace {

void tell(const char* style, result<std::size_t> bytes) {
    if (bytes)
        std::printf("%s: %zu bytes\n", style, *bytes);
    else
        std::printf("%s: %s\n", style, bytes.error().message().c_str());
}

task<int> read_three_times(const char* name) {
    auto opened = co_await file::open(name, open_read);
    if (!opened) {
        std::fprintf(stderr, "%s: %s\n", name, opened.error().message().c_str());
        co_return 1;
    }
    file& data = *opened;
    std::array<std::byte, 4096> buffer;
    std::thread waiting;

    co_await with_scope([&](scope& tasks) -> task<> {
        // Awaited: this task goes on when the bytes are there.
        tell("awaited", co_await data.read_at(buffer, 0));

        // With a callback, which the loop calls. The scope waits for it.
        start(tasks, data.read_at(buffer, 0),
              [](result<std::size_t> bytes) { tell("callback", bytes); });
        co_await tasks.join();

        // As a future. On this loop's thread get() would be refused; another thread may block.
        future<std::size_t> reading = submit(tasks, data.read_at(buffer, 0), "read");
        waiting = std::thread(
            [reading = std::move(reading)]() mutable { tell("future", reading.get()); });
    });
    waiting.join();  // the scope has ended, so the future is ready
    co_return 0;
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 2) {
        std::fprintf(stderr, "usage: three_styles FILE\n");
        return 2;
    }
    return run(read_three_times(arguments[1]));
}
