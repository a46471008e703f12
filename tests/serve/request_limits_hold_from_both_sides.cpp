#include "serve/feeding.hpp"

namespace {

using feeding::feed_every_way;
using feeding::outcome;
using upcall_serve::parse_limits;

// A request whose request line, CRLF included, has `bytes` bytes.
std::string with_line_of(std::size_t bytes) {
    const std::string frame = "GET / HTTP/1.1\r\n";
    return "GET /" + std::string(bytes - frame.size(), 'p') + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

// A request with one field whose line, CRLF included, has `bytes` bytes.
std::string with_field_of(std::size_t bytes) {
    return feeding::get_with("X: " + std::string(bytes - 5, 'v') + "\r\n");
}

// A request of `bytes` bytes, in short lines.
std::string with_head_of(std::size_t bytes) {
    std::string fields;
    std::size_t left = bytes - feeding::get_with("").size();
    while (left > 0) {
        const std::size_t line = left > 300 ? 200 : left;
        fields += "X: " + std::string(line - 5, 'v') + "\r\n";
        left -= line;
    }
    return feeding::get_with(fields);
}

std::string with_fields(std::size_t count) {
    std::string fields;
    for (std::size_t i = 1; i < count; ++i) fields += "X: y\r\n";  // Host is the first
    return feeding::get_with(fields);
}

TEST(request_limits, request_line) {
    EXPECT_EQ(feed_every_way(with_line_of(8192)).requests.size(), 1u);
    EXPECT_EQ(feed_every_way(with_line_of(8193)).status, 414);
    EXPECT_EQ(feed_every_way(with_line_of(8194)).status, 414);
    EXPECT_EQ(feed_every_way(with_line_of(18193)).status, 414);
}

TEST(request_limits, field_line) {
    EXPECT_EQ(feed_every_way(with_field_of(8192)).requests.size(), 1u);
    EXPECT_EQ(feed_every_way(with_field_of(8193)).status, 431);
    EXPECT_EQ(feed_every_way(with_field_of(8194)).status, 431);
    EXPECT_EQ(feed_every_way(with_field_of(18193)).status, 431);
}

TEST(request_limits, whole_head) {
    EXPECT_EQ(with_head_of(16384).size(), 16384u);
    EXPECT_EQ(feed_every_way(with_head_of(16384)).requests.size(), 1u);
    EXPECT_EQ(feed_every_way(with_head_of(16385)).status, 431);
    EXPECT_EQ(feed_every_way(with_head_of(26385)).status, 431);
    EXPECT_EQ(feed_every_way("\r\n" + with_head_of(16384)).status, 431) << "the empty line counts";
}

TEST(request_limits, fields) {
    EXPECT_EQ(feed_every_way(with_fields(100)).requests.size(), 1u);
    EXPECT_EQ(feed_every_way(with_fields(101)).status, 431);
    EXPECT_EQ(feed_every_way(with_fields(1500)).status, 431);
}

TEST(request_limits, refuse_at_the_byte_that_breaks_them) {
    EXPECT_EQ(feeding::feed_pieces({"GET /" + std::string(8186, 'p')}).status, 0);
    EXPECT_EQ(feeding::feed_pieces({"GET /" + std::string(8187, 'p')}).status, 414);
    const std::string line = "GET / HTTP/1.1\r\n";
    EXPECT_EQ(feeding::feed_pieces({line + std::string(8191, 'x')}).status, 0);
    EXPECT_EQ(feeding::feed_pieces({line + std::string(8192, 'x')}).status, 431);
    const std::string lines = with_head_of(16'386).substr(0, 16'384);
    EXPECT_EQ(feeding::feed_pieces({lines.substr(0, 16'383)}).status, 0);
    EXPECT_EQ(feeding::feed_pieces({lines}).status, 431);
}

TEST(request_limits, are_the_callers) {
    const parse_limits small{.head_bytes = 64, .line_bytes = 32, .fields = 2};
    EXPECT_EQ(feed_every_way(with_line_of(32), small).requests.size(), 1u);
    EXPECT_EQ(feed_every_way(with_line_of(33), small).status, 414);
    EXPECT_EQ(feed_every_way(with_field_of(32), small).requests.size(), 1u);
    EXPECT_EQ(feed_every_way(with_field_of(33), small).status, 431);
    EXPECT_EQ(feed_every_way(with_fields(2), small).requests.size(), 1u);
    EXPECT_EQ(feed_every_way(with_fields(3), small).status, 431);
    const parse_limits tight{.head_bytes = 27, .line_bytes = 1000, .fields = 100};
    EXPECT_EQ(feed_every_way("GET / HTTP/1.1\r\nHost: a\r\n\r\n", tight).requests.size(), 1u);
    EXPECT_EQ(feed_every_way("GET / HTTP/1.1\r\nHost: ab\r\n\r\n", tight).status, 431);
    EXPECT_EQ(feed_every_way(with_line_of(40), tight).status, 414);
}

TEST(request_limits, an_earlier_fault_goes_first_and_a_later_one_does_not) {
    EXPECT_EQ(
        feed_every_way(feeding::get_with("X y\r\nX: " + std::string(9000, 'v') + "\r\n")).status,
        400);
    EXPECT_EQ(
        feed_every_way(feeding::get_with("X: " + std::string(9000, 'v') + "\r\nX y\r\n")).status,
        431);
    EXPECT_EQ(feed_every_way(feeding::get_with("X: " + std::string(9000, 'v') + "\x01\r\n")).status,
              431);
}

TEST(request_limits, an_endless_head_takes_one_block) {
    const parse_limits limits;
    upcall_serve::block_pool blocks(limits.head_bytes, 4);
    {
        upcall_serve::request_parser parser(limits, blocks);
        const std::string line = "X: y\r\n";
        std::size_t fed = 0;
        auto state = parser.feed(std::string_view("GET / HTTP/1.1\r\n")).state;
        while (state == upcall_serve::parse_state::need_more && fed < 10'000 * line.size()) {
            state = parser.feed(line).state;
            fed += line.size();
        }
        EXPECT_EQ(state, upcall_serve::parse_state::refused);
        EXPECT_LE(fed, 16384u);
        EXPECT_EQ(blocks.kept(), 0u);
    }
    EXPECT_EQ(blocks.kept(), 1u);
}

TEST(request_limits, an_idle_parser_owns_no_block) {
    const parse_limits limits;
    upcall_serve::block_pool blocks(limits.head_bytes);
    upcall_serve::request_parser parser(limits, blocks);
    const std::string text = feeding::get_with("");
    EXPECT_FALSE(parser.mid_request());
    parser.feed(std::string_view(text).substr(0, 5));
    EXPECT_TRUE(parser.mid_request());
    parser.feed(std::string_view(text).substr(5));
    EXPECT_FALSE(parser.mid_request());
    EXPECT_EQ(parser.current().target(), "/");
    EXPECT_EQ(parser.feed({}).state, upcall_serve::parse_state::need_more);
    EXPECT_FALSE(parser.mid_request());
    EXPECT_EQ(blocks.kept(), 1u);
}

}  // namespace
