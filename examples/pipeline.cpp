// Work in three stages, joined by channels: one task reads words from standard input, several look
// them over, one adds up. Each channel is bounded, so a stage that is fast waits for one that is
// slow, and memory stays small however much comes in.
//
//     pipeline < TEXT
#include <cctype>
#include <cstdio>
#include <map>
#include <string>
#include <upcall/upcall.hpp>

using namespace upcall;

namespace {

constexpr int workers = 4;

task<> read_words(channel<std::string>& words) {
    auto input = pipe::standard_input().value();
    std::string word;
    while (auto chunk = co_await input.receive()) {
        for (const char each : text_of(*chunk)) {
            if (!std::isspace(static_cast<unsigned char>(each))) {
                word += each;
            } else if (!word.empty()) {
                const auto sent = co_await words.send(std::exchange(word, {}));
                if (!sent) co_return;
            }
        }
    }
    if (!word.empty()) static_cast<void>(co_await words.send(word));
    words.close();  // what is in it can still be received
}

task<> measure(channel<std::string>& words, channel<std::size_t>& lengths) {
    while (auto word = co_await words.receive()) {
        const auto sent = co_await lengths.send(word->size());
        if (!sent) co_return;
    }
}

task<> add_up(channel<std::size_t>& lengths, std::map<std::size_t, int>& counts) {
    while (auto length = co_await lengths.receive()) ++counts[*length];
}

task<> count_lengths() {
    channel<std::string> words(16);
    channel<std::size_t> lengths(16);
    std::map<std::size_t, int> counts;
    co_await with_scope([&](scope& stages) -> task<> {
        stages.spawn_now(add_up(lengths, counts), "add up");
        co_await with_scope([&](scope& middle) -> task<> {
            middle.spawn_now(read_words(words), "read");
            for (int count = 0; count < workers; ++count)
                middle.spawn_now(measure(words, lengths), "measure");
            co_return;
        });
        lengths.close();
    });
    for (const auto& [length, count] : counts) std::printf("%zu: %d\n", length, count);
}

}  // namespace

int main() { return run(count_lengths()); }
