#include <string>

#include "serve/file_response.hpp"
#include "serve/http_date.hpp"
#include "serve/page.hpp"
#include "serve/parsed_request.hpp"

namespace {

using namespace upcall_serve;

constexpr std::int64_t modified = 784'111'777;  // Sun, 06 Nov 1994 08:49:37 GMT
constexpr std::int64_t now = 1'000'000'000;     // Sun, 09 Sep 2001 01:46:40 GMT

const std::string server_lines = make_server_lines("0.1.0", "uring");
const connection_state keeps{server_lines, "Sun, 09 Sep 2001 01:46:40 GMT", 1, true};

const std::string common_lines =
    "Server: upcall/0.1.0 (uring)\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Date: Sun, 09 Sep 2001 01:46:40 GMT\r\n";

file_entity entity(std::uint64_t bytes = 1000, content_coding coding = content_coding::identity,
                   bool negotiated = false) {
    return file_entity({.bytes = bytes,
                        .modified_ns = modified * 1'000'000'000 + 5,
                        .inode = 42,
                        .path = "a/index.html",
                        .coding = coding,
                        .negotiated = negotiated},
                       now);
}

std::string etag_line(const file_entity& file) {
    return "ETag: " + std::string(file.current().etag) + "\r\n";
}

struct answer {
    int status;
    std::string head;
    std::uint64_t body_bytes;
};

answer ask(std::string_view fields, const file_entity& file,
           std::string_view line = "GET / HTTP/1.1") {
    const parsed_request from(fields, line);
    const file_response response = answer_with_file(*from, file, now);
    if (response.status == 412 || response.status == 416) return {response.status, "", 0};
    std::optional<multipart> parts;
    if (response.is_multipart())
        parts.emplace(file.content_type(), file.bytes(), std::array<std::uint64_t, 2>{1, 2});
    char buffer[1024];
    text_writer out(buffer);
    const multipart* const body = parts ? &*parts : nullptr;
    put_file_head(out, keeps, response, file, body);
    EXPECT_TRUE(out.fits());
    return {response.status, std::string(out.text()), body_bytes(response, file, body)};
}

TEST(responses, a_whole_file) {
    const file_entity file = entity();
    const answer got = ask("", file);
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.body_bytes, 1000u);
    EXPECT_EQ(got.head, "HTTP/1.1 200 OK\r\n" + common_lines + etag_line(file) +
                            "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                            "Content-Type: text/html; charset=utf-8\r\n"
                            "Accept-Ranges: bytes\r\n"
                            "Content-Length: 1000\r\n\r\n");
    EXPECT_EQ(ask("", file, "HEAD / HTTP/1.1").head, got.head);
    EXPECT_EQ(ask("Range: bytes=0-1\r\n", file, "HEAD / HTTP/1.1").head, got.head);
}

TEST(responses, a_precompressed_sibling) {
    const file_entity file = entity(10, content_coding::br, true);
    const answer got = ask("", file);
    EXPECT_EQ(got.head, "HTTP/1.1 200 OK\r\n" + common_lines + etag_line(file) +
                            "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                            "Vary: Accept-Encoding\r\n"
                            "Content-Type: text/html; charset=utf-8\r\n"
                            "Accept-Ranges: bytes\r\n"
                            "Content-Encoding: br\r\n"
                            "Content-Length: 10\r\n\r\n");
}

TEST(responses, a_file_that_has_siblings_varies_too) {
    const file_entity file = entity(10, content_coding::identity, true);
    EXPECT_NE(ask("", file).head.find("Vary: Accept-Encoding\r\n"), std::string::npos);
    EXPECT_EQ(ask("", file).head.find("Content-Encoding"), std::string::npos);
}

TEST(responses, one_range) {
    const file_entity file = entity();
    const answer got = ask("Range: bytes=100-199\r\n", file);
    EXPECT_EQ(got.status, 206);
    EXPECT_EQ(got.body_bytes, 100u);
    EXPECT_EQ(got.head, "HTTP/1.1 206 Partial Content\r\n" + common_lines + etag_line(file) +
                            "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                            "Content-Type: text/html; charset=utf-8\r\n"
                            "Accept-Ranges: bytes\r\n"
                            "Content-Range: bytes 100-199/1000\r\n"
                            "Content-Length: 100\r\n\r\n");
}

TEST(responses, several_ranges) {
    const file_entity file = entity();
    const answer got = ask("Range: bytes=0-0,-1\r\n", file);
    EXPECT_EQ(got.status, 206);
    EXPECT_NE(got.head.find("Content-Type: multipart/byteranges; boundary="), std::string::npos);
    EXPECT_EQ(got.head.find("Content-Range"), std::string::npos);
    EXPECT_NE(got.head.find("Content-Length: " + std::to_string(got.body_bytes) + "\r\n"),
              std::string::npos);
}

TEST(responses, not_modified_has_validators_only) {
    const file_entity file = entity(10, content_coding::br, true);
    const answer got = ask("If-None-Match: " + std::string(file.current().etag) + "\r\n", file);
    EXPECT_EQ(got.status, 304);
    EXPECT_EQ(got.body_bytes, 0u);
    EXPECT_EQ(got.head, "HTTP/1.1 304 Not Modified\r\n" + common_lines + etag_line(file) +
                            "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                            "Vary: Accept-Encoding\r\n\r\n");
}

TEST(responses, conditions_come_before_ranges) {
    const file_entity file = entity();
    EXPECT_EQ(ask("Range: bytes=5000-\r\n", file).status, 416);
    EXPECT_EQ(ask("Range: bytes=5000-\r\nIf-Match: \"x\"\r\n", file).status, 412);
    EXPECT_EQ(ask("Range: bytes=5000-\r\nIf-None-Match: *\r\n", file).status, 304);
    EXPECT_EQ(ask("Range: bytes=5000-\r\nIf-Range: \"x\"\r\n", file).status, 200);
    EXPECT_EQ(ask("Range: cows=1-2\r\n", file).status, 200);
}

TEST(responses, a_file_of_the_future_is_of_now) {
    const file_entity file(
        {.bytes = 1, .modified_ns = (now + 10) * 1'000'000'000, .inode = 1, .path = "x"}, now);
    EXPECT_EQ(file.current().modified, now);
}

TEST(responses, a_file_from_before_1970_is_rounded_down) {
    const file_entity file({.bytes = 1, .modified_ns = -1, .inode = 1, .path = "x"}, now);
    EXPECT_EQ(file.current().modified, -1);
}

TEST(responses, the_largest_entity_fits_its_lines) {
    const file_entity file({.bytes = UINT64_MAX,
                            .modified_ns = INT64_MIN,
                            .inode = UINT64_MAX,
                            .path = "a.pptx",
                            .coding = content_coding::zstd,
                            .negotiated = true},
                           now);
    EXPECT_TRUE(file.content_lines().ends_with("Content-Encoding: zstd\r\n"));
    EXPECT_TRUE(file.validator_lines().ends_with("Vary: Accept-Encoding\r\n"));
}

std::string connection_line(unsigned minor, bool keep) {
    char buffer[512];
    text_writer out(buffer);
    response_head(out, 200, {"", "D", minor, keep}).end();
    const std::string text(out.text());
    EXPECT_TRUE(text.starts_with("HTTP/1.1 200 OK\r\nDate: D\r\n"));
    return text.substr(26, text.size() - 28);
}

TEST(responses, connection_is_said_where_the_default_differs) {
    EXPECT_EQ(connection_line(1, true), "");
    EXPECT_EQ(connection_line(1, false), "Connection: close\r\n");
    EXPECT_EQ(connection_line(0, true), "Connection: keep-alive\r\n");
    EXPECT_EQ(connection_line(0, false), "Connection: close\r\n");
}

TEST(responses, errors_carry_a_page_and_what_the_status_asks_for) {
    const error_pages pages;
    char buffer[1024];
    for (int status : {400, 404, 405, 408, 412, 413, 414, 416, 417, 429, 431, 500, 501, 503, 505}) {
        const std::string_view html = pages.html(status);
        EXPECT_NE(html.find("<h1>" + std::to_string(status)), std::string_view::npos) << status;
        text_writer out(buffer);
        put_error_head(out, {server_lines, "D", 1, false}, status, html.size(), "X: y\r\n");
        const std::string_view head = out.text();
        EXPECT_TRUE(head.ends_with("Content-Length: " + std::to_string(html.size()) + "\r\n\r\n"));
        EXPECT_NE(head.find("Connection: close\r\n"), std::string_view::npos);
        EXPECT_NE(head.find("\r\nX: y\r\n"), std::string_view::npos);
        EXPECT_EQ(head.find("\r\nAllow: GET, HEAD\r\n") != std::string_view::npos, status == 405);
    }
    EXPECT_EQ(pages.html(499), pages.html(500)) << "a status that is never sent";
}

TEST(responses, error_pages_can_be_the_owners) {
    error_pages pages;
    pages.replace(404, "<p>gone fishing");
    EXPECT_EQ(pages.html(404), "<p>gone fishing");
    EXPECT_NE(pages.html(400), "<p>gone fishing");
}

TEST(responses, a_directory_is_redirected_to_its_slash_on_this_host) {
    char buffer[1024];
    auto location = [&](std::string_view path, std::string_view query) {
        text_writer out(buffer);
        put_directory_redirect(out, keeps, path, query);
        const std::string text(out.text());
        EXPECT_TRUE(text.starts_with("HTTP/1.1 301 Moved Permanently\r\n"));
        EXPECT_TRUE(text.ends_with("\r\nContent-Length: 0\r\n\r\n"));
        const std::size_t at = text.find("Location: ") + 10;
        return text.substr(at, text.find("\r\n", at) - at);
    };
    EXPECT_EQ(location("docs", ""), "/docs/");
    EXPECT_EQ(location("a/b c", "x=1&y"), "/a/b%20c/?x=1&y");
    EXPECT_EQ(location("example.com", ""), "/example.com/") << "from //example.com";
    EXPECT_EQ(location("a\r\nSet-Cookie: x", ""), "/a%0D%0ASet-Cookie%3A%20x/");
    EXPECT_EQ(location("caf\xc3\xa9?#", ""), "/caf%C3%A9%3F%23/");
}

TEST(responses, a_buffer_that_is_too_small_is_noticed) {
    char buffer[10];
    text_writer out(buffer);
    response_head(out, 200, keeps).end();
    EXPECT_FALSE(out.fits());
    EXPECT_EQ(out.text(), "HTTP/1.1 2");
    EXPECT_EQ(out.wanted(), 17 + common_lines.size() + 2);
}

}  // namespace
