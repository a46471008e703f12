// Any bytes, cut anywhere: the parser takes them in the same way whole, byte by byte and in
// random pieces, and what it accepts has one reading.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "check.hpp"
#include "serve/request_parser.hpp"

namespace {

using namespace upcall_serve;

struct outcome {
    std::vector<std::string> heads;
    std::vector<std::string> targets;
    int status = 0;
    bool operator==(const outcome&) const = default;
};

// What must hold of every request that is accepted, found without the parser's help.
void check_request(const request& it, const parse_limits& limits) {
    const std::string_view head = it.head();
    FUZZ_CHECK(head.size() <= limits.head_bytes);
    FUZZ_CHECK(head.ends_with("\r\n\r\n"));
    FUZZ_CHECK(head.find("\r\n\r\n") == head.size() - 4);
    FUZZ_CHECK(head.starts_with(it.is_head() ? "HEAD " : "GET "));
    FUZZ_CHECK(it.target().starts_with('/') || it.target().starts_with('?'));
    FUZZ_CHECK(it.minor_version() <= 1);
    FUZZ_CHECK(it.minor_version() == 0 || !it.host().empty());
    FUZZ_CHECK(!it.has(field::transfer_encoding));
    FUZZ_CHECK(it.single(field::content_length).find_first_not_of('0') == std::string_view::npos);
    std::size_t lines = 0;
    std::size_t hosts = 0;
    for (std::size_t at = 0; at < head.size(); ++lines) {
        const std::size_t end = head.find('\n', at);
        FUZZ_CHECK(end != std::string_view::npos && end > at && head[end - 1] == '\r');
        const std::string_view line = head.substr(at, end - 1 - at);
        FUZZ_CHECK(line.size() + 2 <= limits.line_bytes);
        FUZZ_CHECK(
            std::ranges::all_of(line, [](char c) { return c == '\t' || (c >= 0x20 && c < 0x7f); }));
        if (lines > 0 && !line.empty()) {
            const std::size_t colon = line.find(':');
            FUZZ_CHECK(colon != std::string_view::npos && colon > 0);
            FUZZ_CHECK(std::ranges::all_of(line.substr(0, colon), is_token_char));
            hosts += field_named(line.substr(0, colon)) == field::host ? 1 : 0;
        }
        at = end + 1;
    }
    FUZZ_CHECK(lines <= limits.fields + 2);
    FUZZ_CHECK(hosts == 1 || (hosts == 0 && it.minor_version() == 0));
}

outcome feed(std::string_view text, const parse_limits& limits, auto next_piece) {
    block_pool blocks(limits.head_bytes, 1);
    request_parser parser(limits, blocks);
    outcome result;
    std::unique_ptr<char[]> piece;
    std::size_t piece_bytes = 0;
    while (!text.empty()) {
        const std::size_t bytes = std::clamp<std::size_t>(next_piece(), 1, text.size());
        // A copy of its own size, so that the sanitizer sees reads past a piece's end.
        if (bytes != piece_bytes) piece = std::make_unique<char[]>(bytes);
        piece_bytes = bytes;
        std::memcpy(piece.get(), text.data(), bytes);
        text.remove_prefix(bytes);
        std::span<const char> rest(piece.get(), bytes);
        while (!rest.empty()) {
            const parsed step = parser.feed(rest);
            FUZZ_CHECK(step.consumed <= rest.size());
            if (step.state == parse_state::refused) {
                result.status = parser.why().status;
                FUZZ_CHECK(result.status >= 400 && result.status < 600);
                FUZZ_CHECK(parser.first_line().size() <= limits.head_bytes);
                return result;
            }
            rest = rest.subspan(step.consumed);
            if (step.state == parse_state::need_more) {
                FUZZ_CHECK(rest.empty());
                break;
            }
            FUZZ_CHECK(step.consumed > 0);
            check_request(parser.current(), limits);
            result.heads.emplace_back(parser.current().head());
            result.targets.emplace_back(parser.current().target());
        }
    }
    return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    // Small limits, so that they are met often.
    for (const parse_limits& limits : {parse_limits{}, parse_limits{200, 90, 5}}) {
        const outcome whole = feed(text, limits, [&] { return size; });
        FUZZ_CHECK(feed(text, limits, [] { return 1; }) == whole);
        std::minstd_rand random(static_cast<unsigned>(size));
        FUZZ_CHECK(feed(text, limits, [&] { return random() % 40; }) == whole);
    }
    return 0;
}
