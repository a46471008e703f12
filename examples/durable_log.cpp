// An append-only log that survives a power cut: many commit at once and share one sync, each record
// carries a check, and opening the log anew finds how far it is whole.
//
//     durable_log FILE < RECORDS      one record per line; then prints what the log holds
#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <upcall/upcall.hpp>

using namespace upcall;

namespace {

// A record is its length and its check, four bytes each, lowest first, and then its text.
constexpr std::size_t head_bytes = 8;
constexpr std::size_t record_max = std::size_t{1} << 20;

/// CRC-32 as in zlib: finds every burst of wrong bits up to 32, and others but for one in 2^32.
std::uint32_t check_of(byte_view bytes, std::uint32_t check = 0) {
    check = ~check;
    for (const std::byte each : bytes) {
        check ^= static_cast<std::uint32_t>(each);
        for (int bit = 0; bit < 8; ++bit) check = (check >> 1) ^ (check & 1 ? 0xedb88320U : 0U);
    }
    return ~check;
}

std::string number(std::uint32_t value) {
    std::string bytes;
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(value >> shift);
    return bytes;
}

std::uint32_t number_at(byte_view bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t index = 4; index-- > 0;)
        value = value << 8 | static_cast<std::uint32_t>(bytes[at + index]);
    return value;
}

/// The check covers the length, too: a file that ends in zeros holds no empty records.
std::string record_of(const std::string& text) {
    const std::string length = number(static_cast<std::uint32_t>(text.size()));
    return length + number(check_of(bytes_of(text), check_of(bytes_of(length)))) + text;
}

/// Prints the records, and returns where the last whole one ends.
task<std::uint64_t> read_log(file& from) {
    std::uint64_t whole = 0;
    for (;;) {
        std::array<std::byte, head_bytes> head;
        const auto begun = co_await from.read_exactly_at(head, whole);
        if (!begun) co_return whole;
        const std::uint32_t size = number_at(head, 0);
        if (size > record_max) co_return whole;
        std::string text(size, '\0');
        const auto rest = std::as_writable_bytes(std::span(text.data(), text.size()));
        const auto read = co_await from.read_exactly_at(rest, whole + head_bytes);
        if (!read || record_of(text).compare(4, 4, text_of(byte_view(head).subspan(4))) != 0)
            co_return whole;
        std::printf("%s\n", text.c_str());
        whole += head_bytes + size;
    }
}

/// Cuts off what a crash left half written. Returns whether the log can be written.
task<bool> recover(const char* name) {
    auto log = co_await file::open(name, open_read | open_write | open_create);
    if (!log) co_return false;
    const auto about = co_await log->status();
    if (!about) co_return false;
    const std::uint64_t whole = co_await read_log(*log);
    if (whole == about->size) co_return true;
    std::fprintf(stderr, "cut off %llu bytes of a torn record\n",
                 static_cast<unsigned long long>(about->size - whole));
    const auto cut = co_await log->truncate(whole);
    if (!cut) co_return false;
    const auto synced = co_await log->sync();
    co_return synced.has_value();
}

task<> commit(ordered_writer& log, std::string text, bool& lost) {
    if (text.size() > record_max) {
        lost = true;
        std::fprintf(stderr, "a record of %zu bytes; there may be %zu\n", text.size(), record_max);
        co_return;
    }
    const std::string record = record_of(text);
    const auto added = co_await log.commit(bytes_of(record));
    if (added) co_return;  // only now may anybody be told that it is there
    lost = true;
    std::fprintf(stderr, "not durable: %s\n", added.cause.message().c_str());
}

/// Commits the lines of standard input, up to 64 side by side.
task<bool> take_records(ordered_writer& log) {
    auto input = pipe::standard_input().value();
    bool lost = false;
    const auto body = [&](scope& commits) -> task<> {
        std::string line;
        while (auto chunk = co_await input.receive()) {
            for (const char each : text_of(*chunk)) {
                if (each != '\n') {
                    line += each;
                    continue;
                }
                const auto begun =
                    co_await commits.spawn(commit(log, std::exchange(line, {}), lost), "commit");
                if (!begun) co_return;
            }
        }
    };
    co_await with_scope(body, {.limit = 64});
    co_return !lost;
}

task<int> keep_log(const char* name) {
    const bool usable = co_await recover(name);
    if (!usable) {
        std::fprintf(stderr, "%s cannot be read or written\n", name);
        co_return 1;
    }
    auto log = co_await ordered_writer::open(name);
    if (!log) {
        std::fprintf(stderr, "%s: %s\n", name, log.error().message().c_str());
        co_return 1;
    }
    const bool kept = co_await take_records(*log);
    const auto closed = co_await log->close();
    co_return kept&& closed ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
    if (count != 2) {
        std::fprintf(stderr, "usage: durable_log FILE < RECORDS\n");
        return 2;
    }
    return run(keep_log(words[1]));
}
