// Limits on time: of one operation, of a whole task, of the first of several; and clean-up that is
// given time of its own when its task is cut off.
//
//     timeouts
#include <chrono>
#include <cstdio>
#include <upcall/upcall.hpp>

using namespace upcall;
using namespace std::chrono_literals;

namespace {

const char* word_for(const std::error_code& why) {
    if (why == errc::deadline_exceeded) return "took too long";
    if (why == errc::cancelled) return "was not needed any more";
    return why ? "failed" : "was in time";
}

template <class T>
std::error_code error_of(const result<T>& outcome) {
    return outcome ? std::error_code() : outcome.error();
}

task<result<int>> slow_answer(duration after) {
    auto slept = co_await sleep(after);
    if (!slept) co_return failure(slept.error());
    co_return 42;
}

task<> say_goodbye() {
    static_cast<void>(co_await sleep(1ms));
    std::printf("clean-up: done\n");
}

task<> with_clean_up() {
    const auto slept = co_await sleep(1h);
    std::printf("work: %s\n", word_for(error_of(slept)));
    co_await shield(1s, say_goodbye());  // the deadline has passed, and would end this at once
}

task<> show() {
    auto [reader, writer] = pipe::open().value();
    std::byte buffer[16];
    // An operation: nobody writes, so nothing was read, and the stream is as it was.
    const auto read = co_await timeout(5ms, reader.read(buffer));
    std::printf("read: %s\n", word_for(error_of(read)));
    static_cast<void>(co_await writer.write_all(bytes_of("hello")));
    const auto again = co_await timeout(1h, reader.read(buffer));
    std::printf("read again: %s, %zu bytes\n", word_for(error_of(again)), again.value_or(0));

    // A task: the deadline holds for everything that it starts.
    const auto answer = co_await timeout(5ms, slow_answer(1h));
    std::printf("answer: %s\n", word_for(error_of(answer)));

    // The first of several: the others are cancelled and awaited, and every outcome is there.
    const auto race = co_await when_any(sleep(1ms), sleep(1h));
    std::printf("first: number %zu; the other %s\n", race.index,
                word_for(error_of(std::get<1>(race.outcomes))));

    co_await timeout(5ms, with_clean_up());
}

}  // namespace

int main() { return run(show()); }
