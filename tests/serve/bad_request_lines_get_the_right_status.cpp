#include "serve/feeding.hpp"

namespace {

using feeding::feed_every_way;
using feeding::outcome;

int status_of_line(const std::string& line, const std::string& fields = "Host: a\r\n") {
    const outcome result = feed_every_way(line + "\r\n" + fields + "\r\n");
    EXPECT_EQ(result.requests.empty(), result.status != 0) << line;
    return result.status;
}

TEST(bad_request_lines, whitespace_games_are_400) {
    for (const char* line :
         {"GET  / HTTP/1.1", "GET /  HTTP/1.1", "GET\t/ HTTP/1.1", "GET /\tHTTP/1.1",
          " GET / HTTP/1.1", "GET / HTTP/1.1 ", "GET / HTTP/1.1\t", "GET /a b HTTP/1.1",
          "GET /\vHTTP/1.1", "GET\f/ HTTP/1.1", "\tGET / HTTP/1.1", "GET / HTTP/1.1 X: y"})
        EXPECT_EQ(status_of_line(line), 400) << line;
}

TEST(bad_request_lines, missing_parts_are_400) {
    for (const char* line : {"GET", "GET ", "GET /", "GET / ", "GET HTTP/1.1", "/ HTTP/1.1",
                             "HTTP/1.1", " ", "GET /index.html", "GET  HTTP/1.1"})
        EXPECT_EQ(status_of_line(line), 400) << line;
}

TEST(bad_request_lines, garbled_versions_are_400) {
    for (const char* line :
         {"GET / http/1.1", "GET / HTTP/1", "GET / HTTP/1.", "GET / HTTP/.1", "GET / HTTP/1.1.1",
          "GET / HTTP/01.1", "GET / HTTP/1.01", "GET / HTTP/1,1", "GET / HTTP1.1",
          "GET / HTTPS/1.1", "GET / HTTP/1.x", "GET / HTTP/-1.1", "GET / HTTP/ 1.1",
          "GET / RTSP/1.0", "GET / ICE/1.0", "SOURCE / ICE/1.0", "GET / /1.1", "GET / H",
          "GET / HTTP/\xd9\xa1.1"})
        EXPECT_EQ(status_of_line(line), 400) << line;
}

TEST(bad_request_lines, other_versions_are_505) {
    for (const char* line : {"GET / HTTP/0.9", "GET / HTTP/0.1", "GET / HTTP/2.0", "GET / HTTP/2.1",
                             "GET / HTTP/3.0", "GET / HTTP/9.9", "PRI * HTTP/2.0"})
        EXPECT_EQ(status_of_line(line), 505) << line;
}

TEST(bad_request_lines, the_http2_preface_is_505_at_its_first_line) {
    const outcome result = feed_every_way("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    EXPECT_EQ(result.status, 505);
    EXPECT_EQ(feeding::feed_pieces({"PRI * HTTP/2.0\r\n"}).status, 505);
}

TEST(bad_request_lines, a_request_of_http_0_9_is_400_without_waiting) {
    EXPECT_EQ(feeding::feed_pieces({"GET /\r\n"}).status, 400);
}

TEST(bad_request_lines, known_methods_that_are_not_served_are_405) {
    for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"})
        EXPECT_EQ(status_of_line(std::string(method) + " / HTTP/1.1"), 405) << method;
    EXPECT_EQ(status_of_line("CONNECT a:80 HTTP/1.1"), 405);
    EXPECT_EQ(status_of_line("OPTIONS * HTTP/1.1"), 405);
    EXPECT_EQ(status_of_line("POST / HTTP/1.1", "Host: a\r\nContent-Length: 3\r\n"), 405);
    EXPECT_EQ(status_of_line("POST / HTTP/1.1", "Host: a\r\nTransfer-Encoding: chunked\r\n"), 405);
}

TEST(bad_request_lines, a_malformed_head_goes_before_405) {
    EXPECT_EQ(status_of_line("POST / HTTP/1.1", ""), 400);
    EXPECT_EQ(status_of_line("POST / HTTP/1.1", "Host: a\r\nContent-Length: x\r\n"), 400);
    EXPECT_EQ(status_of_line("POST / HTTP/1.1", "Host: a\r\nTransfer-Encoding: gzip\r\n"), 400);
}

TEST(bad_request_lines, unknown_methods_are_501) {
    for (const char* method : {"get", "Get", "GETT", "GE", "PROPFIND", "MKCOL", "PURGE", "M-SEARCH",
                               "SOURCE", "DESCRIBE", "PRI", "X", "!#$%&'*+-.^_`|~"})
        EXPECT_EQ(status_of_line(std::string(method) + " / HTTP/1.1"), 501) << method;
}

TEST(bad_request_lines, words_that_are_no_method_are_400) {
    for (const char* method : {"G@T", "GET,", "(GET)", "GET:", "\"GET\"", "G\x80T", "\x16\x03\x01"})
        EXPECT_EQ(status_of_line(std::string(method) + " / HTTP/1.1"), 400) << method;
}

TEST(bad_request_lines, bytes_that_begin_no_request_are_refused_at_once) {
    EXPECT_EQ(feeding::feed_pieces({"\x16"}).status, 400);  // a TLS hello
    EXPECT_EQ(feeding::feed_pieces({"\x80"}).status, 400);
    EXPECT_EQ(feeding::feed_pieces({" "}).status, 400);
    EXPECT_EQ(feeding::feed_pieces({"GET\x01"}).status, 400);
    EXPECT_EQ(feeding::feed_pieces({std::string(32, 'A')}).status, 0);
    EXPECT_EQ(feeding::feed_pieces({std::string(33, 'A')}).status, 501);
}

TEST(bad_request_lines, targets_of_the_wrong_form_are_400) {
    for (const char* target : {"*",
                               "a:80",
                               "example.com",
                               "example.com:80",
                               "https://a/",
                               "ftp://a/",
                               "http:/a",
                               "http:a",
                               "http://",
                               "http:///x",
                               "http://?q",
                               "http://u@a/",
                               "http://u:p@a/",
                               "http://a:x/",
                               "http://[::1/",
                               "http://a b/",
                               "//",
                               "?q",
                               "x",
                               "*/x",
                               "/a#b",
                               "#",
                               "http://a/#b",
                               "\\"}) {
        if (std::string_view(target) == "//") continue;  // a path with empty segments
        EXPECT_EQ(status_of_line("GET " + std::string(target) + " HTTP/1.1"), 400) << target;
    }
}

TEST(bad_request_lines, bytes_that_no_target_holds_are_400) {
    for (char c : {'\x01', '\x1f', '\x7f', '\x80', '\xff', '\t', '\v'})
        EXPECT_EQ(status_of_line(std::string("GET /") + c + " HTTP/1.1"), 400) << int{c};
}

}  // namespace
