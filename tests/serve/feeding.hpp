// Feeds the parser in every way that bytes can be cut, and insists that the ways agree.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "serve/request_parser.hpp"

namespace feeding {

using namespace upcall_serve;

// What came of feeding one text until it needed more, or was refused.
struct outcome {
    struct seen {
        upcall_serve::method method;
        std::string target;
        std::string host;
        std::string head;
        unsigned minor = 0;
        bool keep_alive = false;
        bool operator==(const seen&) const = default;
    };
    std::vector<seen> requests;
    int status = 0;  // of the refusal, or 0
    std::string reason;
    std::string refused_line;

    bool operator==(const outcome&) const = default;
};

inline void PrintTo(const outcome& result, std::ostream* out) {
    *out << "status " << result.status << " (" << result.reason << ") at \"" << result.refused_line
         << "\", requests:";
    for (const auto& each : result.requests)
        *out << " [" << each.target << " host=" << each.host << " 1." << each.minor
             << (each.keep_alive ? " keep" : " close") << ']';
}

// Feeds one piece to its end; each is a heap copy of its own, so that a sanitizer sees a view
// that outlives its bytes. False after a refusal.
inline bool feed_piece(request_parser& parser, std::string_view piece, outcome& into) {
    const std::vector<char> copy(piece.begin(), piece.end());
    std::span<const char> rest(copy);
    while (!rest.empty()) {
        const parsed step = parser.feed(rest);
        if (step.consumed > rest.size()) {
            ADD_FAILURE() << "consumed more than was fed";
            return false;
        }
        if (step.state == parse_state::refused) {
            into.status = parser.why().status;
            into.reason = parser.why().reason;
            into.refused_line = parser.first_line();
            return false;
        }
        rest = rest.subspan(step.consumed);
        if (step.state == parse_state::need_more) {
            EXPECT_TRUE(rest.empty());
            break;
        }
        const request& it = parser.current();
        into.requests.push_back({it.method(), std::string(it.target()), std::string(it.host()),
                                 std::string(it.head()), it.minor_version(), it.keep_alive()});
    }
    return true;
}

inline outcome feed_pieces(const std::vector<std::string_view>& pieces,
                           const parse_limits& limits = {}) {
    block_pool blocks(limits.head_bytes);
    request_parser parser(limits, blocks);
    outcome result;
    for (std::string_view piece : pieces)
        if (!feed_piece(parser, piece, result)) break;
    return result;
}

// The first line that a log shows depends on how much has arrived; all else does not.
inline outcome without_line(outcome result) {
    result.refused_line.clear();
    return result;
}

// Whole; byte by byte; and, for short texts, in two pieces at every place.
inline outcome feed_every_way(std::string_view text, const parse_limits& limits = {}) {
    const outcome whole = feed_pieces({text}, limits);
    std::vector<std::string_view> bytes;
    for (std::size_t i = 0; i < text.size(); ++i) bytes.push_back(text.substr(i, 1));
    EXPECT_EQ(without_line(feed_pieces(bytes, limits)), without_line(whole)) << text.substr(0, 200);
    if (text.size() > 2000) return whole;
    for (std::size_t cut = 1; cut < text.size(); ++cut)
        EXPECT_EQ(without_line(feed_pieces({text.substr(0, cut), text.substr(cut)}, limits)),
                  without_line(whole))
            << text << "\ncut at " << cut;
    return whole;
}

// A GET with `fields` (each with its CRLF) between its request line and its end.
inline std::string get_with(std::string_view fields) {
    return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}

}  // namespace feeding
