#include <random>

#include "serve/feeding.hpp"

namespace {

using feeding::feed_every_way;
using feeding::get_with;
using feeding::outcome;
using upcall_serve::field;
using upcall_serve::method;

TEST(well_formed_requests, a_plain_get) {
    const outcome result =
        feed_every_way("GET /a/b?c=d HTTP/1.1\r\nHost: example.com:8080\r\n\r\n");
    ASSERT_EQ(result.requests.size(), 1u) << result.reason;
    EXPECT_EQ(result.requests[0].method, method::get);
    EXPECT_EQ(result.requests[0].target, "/a/b?c=d");
    EXPECT_EQ(result.requests[0].host, "example.com:8080");
    EXPECT_EQ(result.requests[0].minor, 1u);
    EXPECT_TRUE(result.requests[0].keep_alive);
}

TEST(well_formed_requests, head_of_http_1_0_needs_no_host) {
    const outcome result = feed_every_way("HEAD / HTTP/1.0\r\n\r\n");
    ASSERT_EQ(result.requests.size(), 1u) << result.reason;
    EXPECT_EQ(result.requests[0].method, method::head);
    EXPECT_EQ(result.requests[0].minor, 0u);
    EXPECT_EQ(result.requests[0].host, "");
}

TEST(well_formed_requests, a_later_minor_version_is_read_as_http_1_1) {
    for (const char* version : {"1.2", "1.9"}) {
        const std::string head =
            "GET /a HTTP/" + std::string(version) + "\r\nHost: b\r\nIf-None-Match: \"c\"\r\n\r\n";
        const outcome result = feed_every_way(head + "GET /d HTTP/1.1\r\nHost: e\r\n\r\n");
        ASSERT_EQ(result.requests.size(), 2u) << result.reason;
        EXPECT_EQ(result.requests[0].target, "/a");
        EXPECT_EQ(result.requests[0].host, "b");
        EXPECT_EQ(result.requests[0].head, head);
        EXPECT_EQ(result.requests[0].minor, 1u);
        EXPECT_TRUE(result.requests[0].keep_alive);
        EXPECT_EQ(result.requests[1].target, "/d");
        // What HTTP/1.1 asks of a request it asks of these.
        EXPECT_EQ(feed_every_way("GET / HTTP/" + std::string(version) + "\r\n\r\n").status, 400);
    }
}

TEST(well_formed_requests, absolute_form_names_path_and_host) {
    struct {
        const char* target;
        const char* path;
        const char* host;
    } cases[] = {
        {"http://example.com/a?b", "/a?b", "example.com"},
        {"HTTP://example.com:81/", "/", "example.com:81"},
        {"http://example.com", "/", "example.com"},
        {"http://example.com?q=1", "?q=1", "example.com"},
        {"http://[::1]:8080/x", "/x", "[::1]:8080"},
    };
    for (const auto& each : cases) {
        const outcome result =
            feed_every_way("GET " + std::string(each.target) + " HTTP/1.1\r\nHost: other\r\n\r\n");
        ASSERT_EQ(result.requests.size(), 1u) << each.target << result.reason;
        EXPECT_EQ(result.requests[0].target, each.path);
        EXPECT_EQ(result.requests[0].host, each.host);
    }
}

TEST(well_formed_requests, one_empty_line_before_a_request_is_forgiven) {
    const outcome result = feed_every_way("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_EQ(result.requests.size(), 1u) << result.reason;
    EXPECT_EQ(result.requests[0].head, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
}

TEST(well_formed_requests, keep_alive_follows_version_and_connection) {
    struct {
        int minor;
        const char* connection;
        bool keep;
    } cases[] = {
        {1, "", true},
        {1, "Connection: keep-alive\r\n", true},
        {1, "Connection: close\r\n", false},
        {1, "Connection: Close\r\n", false},
        {1, "connection:close\t\r\n", false},
        {1, "Connection: keep-alive, close\r\n", false},
        {1, "Connection: close, keep-alive\r\n", false},
        {1, "Connection: keep-alive\r\nConnection: close\r\n", false},
        {1, "Connection: close\r\nConnection: keep-alive\r\n", false},
        {1, "Connection: x,, ,close ,y\r\n", false},
        {1, "Connection: closed\r\n", true},
        {1, "Connection: upgrade\r\nUpgrade: h2c\r\n", true},
        {1, "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n",
         true},
        {1, "Connection:\r\n", true},
        {0, "", false},
        {0, "Connection: keep-alive\r\n", true},
        {0, "Connection: Keep-Alive\r\n", true},
        {0, "Connection: close\r\n", false},
        {0, "Connection: close, keep-alive\r\n", false},
        {0, "Connection: keep-alive, close\r\n", false},
        {0, "Connection: x\r\nConnection: keep-alive\r\n", true},
    };
    for (const auto& each : cases) {
        const outcome result = feed_every_way("GET / HTTP/1." + std::to_string(each.minor) +
                                              "\r\nHost: a\r\n" + each.connection + "\r\n");
        ASSERT_EQ(result.requests.size(), 1u) << each.connection << result.reason;
        EXPECT_EQ(result.requests[0].keep_alive, each.keep) << each.minor << ' ' << each.connection;
    }
}

TEST(well_formed_requests, an_upgrade_is_passed_by_and_what_follows_is_http) {
    const outcome result =
        feed_every_way(get_with("Connection: Upgrade\r\nUpgrade: websocket\r\n") +
                       "GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_EQ(result.requests.size(), 2u) << result.reason;
    EXPECT_EQ(result.requests[1].target, "/next");
}

TEST(well_formed_requests, expectations) {
    EXPECT_EQ(feed_every_way(get_with("Expect: 100-continue\r\n")).requests.size(), 1u);
    EXPECT_EQ(feed_every_way(get_with("Expect: 100-Continue\r\n")).requests.size(), 1u);
    EXPECT_EQ(feed_every_way("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").requests.size(), 1u);
    for (const char* value :
         {"100-continued", "200-ok", "", "100-continue, 100-continue", "100-continue;q=1"})
        EXPECT_EQ(feed_every_way(get_with(std::string("Expect: ") + value + "\r\n")).status, 417)
            << value;
    EXPECT_EQ(feed_every_way(get_with("Expect: 100-continue\r\nExpect: x\r\n")).status, 417);
    EXPECT_EQ(feed_every_way(get_with("Expect: 100-continue\r\nContent-Length: 5\r\n")).status,
              413);
}

TEST(well_formed_requests, host_must_stand_once_and_be_one) {
    auto status = [](const std::string& fields) {
        return feed_every_way("GET / HTTP/1.1\r\n" + fields + "\r\n").status;
    };
    for (const char* good :
         {"a", "example.com", "example.com:80", "example.com:", "127.0.0.1:8080", "[::1]",
          "[::1]:80", "[2001:db8::1]", "xn--caf-dma.example", "a_b", "a%41"})
        EXPECT_EQ(status("Host: " + std::string(good) + "\r\n"), 0) << good;
    EXPECT_EQ(status("Host:a \t\r\n"), 0);
    for (const char* bad :
         {"",        " ",    "a b",   "a/b",  "a?b",   "a#b",     "u@a",     "a:b",
          "a:80:81", "[::1", "[]",    "[a]b", "[::g]", "::1",     "a%4",     "a%zz",
          "a\\b",    "<a>",  "\"a\"", ":80",  "a:+80", "[::1]80", "http://a"})
        EXPECT_EQ(status("Host: " + std::string(bad) + "\r\n"), 400) << bad;
    EXPECT_EQ(status(""), 400);
    EXPECT_EQ(status("Host: a\r\nHost: a\r\n"), 400);
    EXPECT_EQ(status("Host: a\r\nhOST: b\r\n"), 400);
    EXPECT_EQ(status("Host:\r\nHost: a\r\n"), 400);
    EXPECT_EQ(status("Host: a\r\nHost:\r\n"), 400);
    EXPECT_EQ(feed_every_way("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n").status, 400);
    EXPECT_EQ(feed_every_way("GET / HTTP/1.0\r\nHost: a b\r\n\r\n").status, 400);
}

TEST(well_formed_requests, fields_are_found_in_any_case_and_trimmed) {
    const std::string text = get_with(
        "RANGE: \t bytes=0-1 \t \r\nif-none-match:\"x\"\r\nIf-Modified-Since: d\r\nX-Range: no\r\n"
        "Accept-Encoding: gzip\r\naccept-encoding: br\r\nRangf: no\r\nIf-Range:\r\nUser-Agent: "
        "u\r\n");
    upcall_serve::block_pool blocks(16384);
    const upcall_serve::parse_limits limits;
    upcall_serve::request_parser parser(limits, blocks);
    ASSERT_EQ(parser.feed(text).state, upcall_serve::parse_state::complete) << parser.why().reason;
    const upcall_serve::request& it = parser.current();
    EXPECT_EQ(it.single(field::range), "bytes=0-1");
    EXPECT_EQ(it.single(field::if_none_match), "\"x\"");
    EXPECT_EQ(it.single(field::if_modified_since), "d");
    EXPECT_EQ(it.single(field::user_agent), "u");
    EXPECT_TRUE(it.has(field::if_range));
    EXPECT_EQ(it.single(field::if_range), "");
    EXPECT_FALSE(it.has(field::if_match));
    EXPECT_EQ(it.single(field::accept_encoding), "") << "repeated";
    std::vector<std::string_view> lines;
    it.for_each(field::accept_encoding, [&](std::string_view value) { lines.push_back(value); });
    EXPECT_EQ(lines, (std::vector<std::string_view>{"gzip", "br"}));
}

TEST(well_formed_requests, every_known_field_has_a_name) {
    const std::vector<std::pair<const char*, field>> names = {
        {"Host", field::host},
        {"Connection", field::connection},
        {"Content-Length", field::content_length},
        {"Transfer-Encoding", field::transfer_encoding},
        {"Expect", field::expect},
        {"Range", field::range},
        {"If-Range", field::if_range},
        {"If-Match", field::if_match},
        {"If-None-Match", field::if_none_match},
        {"If-Modified-Since", field::if_modified_since},
        {"If-Unmodified-Since", field::if_unmodified_since},
        {"Accept-Encoding", field::accept_encoding},
        {"Referer", field::referer},
        {"User-Agent", field::user_agent}};
    EXPECT_EQ(names.size(), upcall_serve::known_fields);
    for (const auto& [name, id] : names) {
        std::string text = name;
        EXPECT_EQ(upcall_serve::field_named(text), id) << name;
        for (char& c : text) c = static_cast<char>(std::toupper(c));
        EXPECT_EQ(upcall_serve::field_named(text), id) << name;
        for (std::size_t i = 0; i < text.size(); ++i) {
            std::string other = text;
            other[i] = other[i] == 'Z' ? 'Y' : 'Z';
            EXPECT_EQ(upcall_serve::field_named(other), field::other) << other;
        }
    }
}

TEST(well_formed_requests, pipelined_requests_come_one_by_one) {
    std::string text;
    for (int i = 0; i < 50; ++i)
        text += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n";
    const outcome result = feed_every_way(text);
    ASSERT_EQ(result.requests.size(), 50u);
    for (std::size_t i = 0; i < 50; ++i)
        EXPECT_EQ(result.requests[i].target, "/" + std::to_string(i));
}

TEST(well_formed_requests, garbage_behind_a_request_does_not_spoil_it) {
    for (const char* garbage :
         {"garbage", "\x16\x03", "\n", "GET / HTTP/1.1\n", " ", "GET /x\r\n\r\n"}) {
        const outcome result = feed_every_way(get_with("") + std::string(garbage) + "\r\n\r\n");
        EXPECT_EQ(result.requests.size(), 1u) << garbage;
        EXPECT_NE(result.status, 0) << garbage;
    }
}

TEST(well_formed_requests, after_a_refusal_nothing_is_read) {
    upcall_serve::block_pool blocks(16384);
    const upcall_serve::parse_limits limits;
    upcall_serve::request_parser parser(limits, blocks);
    ASSERT_EQ(parser.feed(std::string_view("x y\r\n")).state, upcall_serve::parse_state::refused);
    EXPECT_EQ(parser.first_line(), "x y");
    const upcall_serve::parsed again = parser.feed(get_with(""));
    EXPECT_EQ(again.state, upcall_serve::parse_state::refused);
    EXPECT_EQ(again.consumed, 0u);
}

// Went wrong: the line was looked for in the span of the first feed, which was gone.
TEST(well_formed_requests, in_mid_request_the_first_line_is_known) {
    upcall_serve::block_pool blocks(16384);
    const upcall_serve::parse_limits limits;
    upcall_serve::request_parser parser(limits, blocks);
    {
        const auto first = std::make_unique<std::string>("HEAD /x HTTP/1.1\r\n");
        ASSERT_EQ(parser.feed(*first).state, upcall_serve::parse_state::need_more);
        first->assign(first->size(), '?');
    }
    EXPECT_EQ(parser.first_line(), "HEAD /x HTTP/1.1");
    EXPECT_TRUE(parser.asks_for_head());
    ASSERT_EQ(parser.feed(std::string_view("Host: a\r\n")).state,
              upcall_serve::parse_state::need_more);
    EXPECT_EQ(parser.first_line(), "HEAD /x HTTP/1.1");
}

TEST(well_formed_requests, random_cuts_change_nothing) {
    std::string text;
    for (int i = 0; i < 20; ++i)
        text += get_with("X-Number: " + std::to_string(i) + "\r\nIf-Match: \"" + std::to_string(i) +
                         "\"\r\n");
    const outcome whole = feeding::feed_pieces({text});
    ASSERT_EQ(whole.requests.size(), 20u);
    std::mt19937 random(7);
    for (int round = 0; round < 300; ++round) {
        std::vector<std::string_view> pieces;
        for (std::string_view rest = text; !rest.empty();) {
            pieces.push_back(rest.substr(0, 1 + random() % 200));
            rest.remove_prefix(pieces.back().size());
        }
        EXPECT_EQ(feeding::feed_pieces(pieces), whole);
    }
}

}  // namespace
