#include "serve/feeding.hpp"

namespace {

using feeding::feed_every_way;
using feeding::get_with;
using feeding::outcome;

struct bad_case {
    const char* name;
    std::string text;
    int status = 400;
};

std::string nul(std::string text) {
    for (char& c : text)
        if (c == '@') c = '\0';
    return text;
}

const std::vector<bad_case>& bad_lengths() {
    static const std::vector<bad_case> cases = {
        {"length and transfer coding",
         get_with("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n")},
        {"transfer coding and length",
         get_with("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n")},
        {"zero length and transfer coding",
         get_with("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n")},
        {"two lengths", get_with("Content-Length: 3\r\nContent-Length: 4\r\n")},
        {"two equal lengths", get_with("Content-Length: 3\r\nContent-Length: 3\r\n")},
        {"two zero lengths", get_with("Content-Length: 0\r\nContent-Length: 0\r\n")},
        {"an empty length before a length", get_with("Content-Length:\r\nContent-Length: 0\r\n")},
        {"plus sign", get_with("Content-Length: +3\r\n")},
        {"minus sign", get_with("Content-Length: -3\r\n")},
        {"minus zero", get_with("Content-Length: -0\r\n")},
        {"hexadecimal", get_with("Content-Length: 0x3\r\n")},
        {"underscore", get_with("Content-Length: 1_0\r\n")},
        {"inner space", get_with("Content-Length: 1 0\r\n")},
        {"list", get_with("Content-Length: 3, 3\r\n")},
        {"list of zeros", get_with("Content-Length: 0,0\r\n")},
        {"empty", get_with("Content-Length:\r\n")},
        {"blank", get_with("Content-Length:   \r\n")},
        {"fraction", get_with("Content-Length: 3.0\r\n")},
        {"quoted", get_with("Content-Length: \"3\"\r\n")},
        {"2^63", get_with("Content-Length: 9223372036854775808\r\n")},
        {"2^64", get_with("Content-Length: 18446744073709551616\r\n")},
        {"a hundred digits", get_with("Content-Length: " + std::string(100, '9') + "\r\n")},
        {"2^63 - 1", get_with("Content-Length: 9223372036854775807\r\n"), 413},
        {"one byte", get_with("Content-Length: 1\r\n"), 413},
        {"leading zeros", get_with("Content-Length: 0007\r\n"), 413},
    };
    return cases;
}

const std::vector<bad_case>& bad_codings() {
    static const std::vector<bad_case> cases = {
        {"chunked", get_with("Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n0\r\n\r\n", 413},
        {"chunked, in capitals", get_with("TRANSFER-ENCODING: CHUNKED\r\n"), 413},
        {"leading comma", get_with("Transfer-Encoding: ,chunked\r\n")},
        {"trailing comma", get_with("Transfer-Encoding: chunked,\r\n")},
        {"twice in a list", get_with("Transfer-Encoding: chunked, chunked\r\n")},
        {"twice in lines",
         get_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")},
        {"another coding first", get_with("Transfer-Encoding: gzip, chunked\r\n")},
        {"another coding last", get_with("Transfer-Encoding: chunked, gzip\r\n")},
        {"identity", get_with("Transfer-Encoding: identity\r\n")},
        {"identity, then chunked in a line",
         get_with("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n")},
        {"unknown coding", get_with("Transfer-Encoding: cow\r\n")},
        {"prefix of chunked", get_with("Transfer-Encoding: chunke\r\n")},
        {"longer than chunked", get_with("Transfer-Encoding: chunkedx\r\n")},
        {"parameter", get_with("Transfer-Encoding: chunked;q=1\r\n")},
        {"vertical tab", get_with("Transfer-Encoding:\vchunked\r\n")},
        {"quoted", get_with("Transfer-Encoding: \"chunked\"\r\n")},
        {"empty", get_with("Transfer-Encoding:\r\n")},
        {"empty, then chunked", get_with("Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n")},
        {"space before the colon", get_with("Transfer-Encoding : chunked\r\n")},
        {"in HTTP/1.0", "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {"chunk size with a sign", get_with("Transfer-Encoding: chunked\r\n") + "+3\r\nabc\r\n",
         413},
        {"chunk extension without end",
         get_with("Transfer-Encoding: chunked\r\n") + "3;" + std::string(900, 'x'), 413},
    };
    return cases;
}

const std::vector<bad_case>& bad_lines() {
    static const std::vector<bad_case> cases = {
        {"bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n"},
        {"bare LF after a field", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"},
        {"bare LF as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n"},
        {"bare LF throughout", "GET / HTTP/1.1\nHost: a\n\n"},
        {"bare LF before the request", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"bare CR after the request line", "GET / HTTP/1.1\rHost: a\r\n\r\n"},
        {"bare CR after a field", "GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n"},
        {"bare CR in a value", get_with("X: a\rb\r\n")},
        {"bare CR before a value", get_with("X:\rb\r\n")},
        {"CR CR LF", get_with("X: a\r\r\n")},
        {"CR CR LF as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\r\r\n"},
        {"bare CR before the request", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"two empty lines before the request", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"folded value", get_with("X: a\r\n b\r\n")},
        {"value folded with a tab", get_with("X: a\r\n\tb\r\n")},
        {"value folded before its start", get_with("X:\r\n b\r\n")},
        {"folded to a blank line", get_with("X: a\r\n \r\n")},
        {"folded Transfer-Encoding", get_with("Transfer-Encoding:\r\n chunked\r\n")},
        {"fold before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"},
        {"tab before the first field", "GET / HTTP/1.1\r\n\tHost: a\r\n\r\n"},
        {"space before the colon", get_with("X : y\r\n")},
        {"tab before the colon", get_with("X\t: y\r\n")},
        {"space in the name", get_with("X y: z\r\n")},
        {"space before Host's colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n"},
        {"no colon", get_with("X\r\n")},
        {"no colon, with a value", get_with("X y\r\n")},
        {"no name", get_with(": y\r\n")},
        {"only a colon", get_with(":\r\n")},
        {"NUL in a name", nul(get_with("X@: y\r\n"))},
        {"NUL in a value", nul(get_with("X: y@z\r\n"))},
        {"NUL first in a value", nul(get_with("X:@\r\n"))},
        {"NUL in the target", nul("GET /@ HTTP/1.1\r\nHost: a\r\n\r\n")},
        {"control character in a value", get_with("X: y\x01z\r\n")},
        {"escape in a value", get_with("X: \x1b[31m\r\n")},
        {"DEL in a value", get_with("X: y\x7fz\r\n")},
        {"DEL in a name", get_with("X\x7f: z\r\n")},
        {"byte above 0x7f in a value", get_with("X: caf\xc3\xa9\r\n")},
        {"byte above 0x7f in a name", get_with("caf\xc3\xa9: x\r\n")},
        {"byte 0xff in a value", get_with("X: \xff\r\n")},
        {"quote in a name", get_with("\"X\": y\r\n")},
        {"slash in a name", get_with("X/Y: y\r\n")},
        {"bracket in a name", get_with("X[0]: y\r\n")},
        {"control character in Connection", get_with("Connection: close\x01\r\n")},
    };
    return cases;
}

void expect_refused(const std::vector<bad_case>& cases) {
    for (const bad_case& each : cases) {
        SCOPED_TRACE(each.name);
        const outcome result = feed_every_way(each.text);
        EXPECT_EQ(result.status, each.status) << result.reason;
        EXPECT_TRUE(result.requests.empty());
        EXPECT_FALSE(result.reason.empty());
    }
}

TEST(ambiguous_framing_is_refused, content_length) { expect_refused(bad_lengths()); }
TEST(ambiguous_framing_is_refused, transfer_encoding) { expect_refused(bad_codings()); }
TEST(ambiguous_framing_is_refused, lines_and_fields) { expect_refused(bad_lines()); }

TEST(ambiguous_framing_is_refused, a_zero_length_is_no_body) {
    EXPECT_EQ(feed_every_way(get_with("Content-Length: 0\r\n")).requests.size(), 1u);
    EXPECT_EQ(feed_every_way(get_with("Content-Length:\t00 \r\n")).requests.size(), 1u);
}

TEST(ambiguous_framing_is_refused, a_smuggled_request_is_never_served) {
    const std::string smuggled = "GET /admin HTTP/1.1\r\nHost: a\r\n\r\n";
    for (const auto& cases : {bad_lengths(), bad_codings(), bad_lines()})
        for (const bad_case& each : cases) {
            SCOPED_TRACE(each.name);
            EXPECT_TRUE(feeding::feed_pieces({each.text + smuggled}).requests.empty());
        }
}

}  // namespace
