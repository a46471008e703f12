#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "serve/access_log.hpp"
#include "serve/file_response.hpp"
#include "serve/hot_cache.hpp"
#include "serve/http_date.hpp"
#include "serve/page.hpp"
#include "serve/request_parser.hpp"
#include "serve/target.hpp"
#include "support/counting_new.hpp"

// Every allocation of this program is counted.
UPCALL_COUNT_ALLOCATIONS

namespace {

using namespace upcall_serve;
using upcall::testing::this_threads_allocations;

class a_request : public testing::Test {
  protected:
    void SetUp() override {
#ifdef UPCALL_TEST_SANITIZED
        GTEST_SKIP() << "the sanitizers bring their own operator new, which does not count";
#endif
    }
};

constexpr std::int64_t now = 1'000'000'000;
constexpr hot_cache::time steady{std::chrono::seconds(1000)};

const std::string text =
    "GET /assets/app.css?v=3 HTTP/1.1\r\nHost: www.example.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: text/css,*/*;q=0.1\r\nAccept-Encoding: gzip, deflate\r\nAccept-Encoding: br\r\n"
    "Connection: keep-alive\r\nReferer: http://www.example.com/\r\n"
    "Range: bytes=0-99, 500-599, 700-\r\nIf-Range: \"other\"\r\n"
    "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\nIf-None-Match: \"a\", W/\"b\"\r\n\r\n";

// What a connection keeps from one request to the next.
struct server {
    parse_limits limits;
    block_pool blocks{limits.head_bytes};
    request_parser parser{limits, blocks};
    hot_cache cache{1 << 20, 1 << 16};
    date_cache dates;
    error_pages pages;
    std::string lines = make_server_lines("0.1.0", "uring");
    std::vector<char> path = std::vector<char>(limits.line_bytes + 2);
    std::vector<char> head = std::vector<char>(1024);
    std::vector<char> log = std::vector<char>(access_line_bytes_max);

    server() {
        auto file = std::make_shared<resource>();
        file->variants[0].emplace(resource::variant{
            file_entity({.bytes = 1000, .modified_ns = 1, .inode = 1, .path = "app.css"}, now),
            std::make_unique<std::byte[]>(1000)});
        cache.put("assets/app.css", std::move(file), steady);
    }

    // The whole way of one request, cut at `cut`: 0 leaves it whole. Returns the head's length.
    std::size_t serve(std::size_t cut, std::int64_t at) {
        const std::string_view whole = text;
        if (cut != 0) parser.feed(whole.substr(0, cut));
        if (parser.feed(whole.substr(cut)).state != parse_state::complete) return 0;
        const request& from = parser.current();
        const auto target = decode_target(from.target(), path);
        if (!target) return 0;
        const auto hit = cache.find(target->path, steady);
        if (!hit.what) return 0;
        const content_coding coding = accepted_codings::of(from).choose(hit.what->codings());
        const file_entity& entity = (*hit.what)[coding].entity;
        const file_response response = answer_with_file(from, entity, at);
        const connection_state connection{lines, dates.at(at), from.minor_version(),
                                          from.keep_alive()};
        text_writer out(head);
        put_file_head(out, connection, response, entity, nullptr);
        text_writer line(log);
        put_access_line(line, access_log_format::json,
                        {.client = "127.0.0.1",
                         .time_ms = at * 1000,
                         .duration_us = 1,
                         .request_line = from.line(),
                         .host = from.host(),
                         .referer = from.single(field::referer),
                         .user_agent = from.single(field::user_agent),
                         .status = response.status,
                         .body_bytes = body_bytes(response, entity, nullptr)});
        return out.fits() && line.fits() ? out.wanted() : 0;
    }

    std::size_t refuse(std::string_view bad) {
        request_parser fresh(limits, blocks);
        if (fresh.feed(bad).state != parse_state::refused) return 0;
        const std::string_view html = pages.html(fresh.why().status);
        text_writer out(head);
        put_error_head(out, {lines, dates.at(now), 1, false}, fresh.why().status, html.size());
        return out.wanted();
    }
};

TEST_F(a_request, allocates_nothing_once_the_server_is_warm) {
    server site;
    ASSERT_GT(site.serve(0, now), 0u);
    ASSERT_GT(site.serve(100, now), 0u) << "the first request cut in two borrows a block";
    ASSERT_GT(site.refuse("GET /\r\n"), 0u);

    const std::size_t before = this_threads_allocations.made;
    std::size_t written = 0;
    for (std::size_t cut = 0; cut < text.size(); ++cut)
        written += site.serve(cut, now + static_cast<std::int64_t>(cut));
    for (int i = 0; i < 100; ++i) written += site.refuse("GET / HTTP/1.1\r\n\r\n");
    const std::size_t after = this_threads_allocations.made;
    EXPECT_GT(written, text.size() * 200);
    EXPECT_EQ(after, before);
}

TEST_F(a_request, would_be_caught_allocating) {
    const std::size_t before = this_threads_allocations.made;
    void* made = operator new(1);  // a call, which no compiler may leave out
    EXPECT_EQ(this_threads_allocations.made, before + 1);
    operator delete(made);
}

}  // namespace
