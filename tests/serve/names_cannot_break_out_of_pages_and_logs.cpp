#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "serve/access_log.hpp"
#include "serve/escape.hpp"
#include "serve/page.hpp"

namespace {

using namespace upcall_serve;

template <class Put>
std::string with(Put put, std::string_view text) {
    std::string buffer(text.size() * 6 + 1, '\0');
    text_writer out(buffer);
    put(out, text);
    EXPECT_TRUE(out.fits());
    return std::string(out.text());
}

TEST(escaping, html) {
    EXPECT_EQ(with(put_html, "<script>\"'&"), "&lt;script&gt;&quot;&#39;&amp;");
    EXPECT_EQ(with(put_html, "caf\xc3\xa9"), "caf\xc3\xa9");
    EXPECT_EQ(with(put_html, "a\x80\xc3"), "a\xef\xbf\xbd\xef\xbf\xbd");
    EXPECT_EQ(with(put_html, std::string_view("\0\n\x1b", 3)),
              "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

TEST(escaping, url) {
    EXPECT_EQ(with(put_url_path, "a/b-c_d.e~f"), "a/b-c_d.e~f");
    EXPECT_EQ(with(put_url_path, "a b?c#d%e:f&g\"h\\i"), "a%20b%3Fc%23d%25e%3Af%26g%22h%5Ci");
    EXPECT_EQ(with(put_url_path, "\xc3\xa9\n"), "%C3%A9%0A");
}

TEST(escaping, json) {
    EXPECT_EQ(with(put_json, "a\"b\\c/d"), "a\\\"b\\\\c/d");
    EXPECT_EQ(with(put_json, "\n\r\t\x01\x7f"), "\\n\\r\\t\\u0001\\u007f");
    EXPECT_EQ(with(put_json, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x8c\x8d"),
              "\\u00e9\\u20ac\\ud83c\\udf0d");
    EXPECT_EQ(with(put_json, "\xff\xc3"), "\\ufffd\\ufffd");
    EXPECT_EQ(with(put_json, std::string_view("\0", 1)), "\\u0000");
}

TEST(escaping, log) {
    EXPECT_EQ(with(put_log, "GET / HTTP/1.1"), "GET / HTTP/1.1");
    EXPECT_EQ(with(put_log, "a\"b\\c\n\x1b[31m\x80"), "a\\\"b\\\\c\\x0a\\x1b[31m\\x80");
}

std::string line(access_log_format format, const access_entry& entry) {
    static char buffer[access_line_bytes_max];
    text_writer out(buffer);
    put_access_line(out, format, entry);
    EXPECT_TRUE(out.fits()) << out.wanted();
    return std::string(out.text());
}

const access_entry plain{.client = "127.0.0.1",
                         .time_ms = 784'111'777'005,
                         .duration_us = 42,
                         .request_line = "GET /a HTTP/1.1",
                         .host = "example.com",
                         .referer = "http://x/",
                         .user_agent = "curl/8",
                         .status = 200,
                         .body_bytes = 2326};

TEST(access_log, common) {
    EXPECT_EQ(line(access_log_format::common, plain),
              "127.0.0.1 - - [06/Nov/1994:08:49:37 +0000] \"GET /a HTTP/1.1\" 200 2326\n");
    EXPECT_EQ(line(access_log_format::common, {.status = 408}),
              "- - - [01/Jan/1970:00:00:00 +0000] \"-\" 408 0\n");
}

TEST(access_log, json) {
    EXPECT_EQ(
        line(access_log_format::json, plain),
        "{\"time\":\"1994-11-06T08:49:37.005Z\",\"client\":\"127.0.0.1\",\"host\":\"example.com\","
        "\"request\":\"GET /a HTTP/1.1\",\"status\":200,\"bytes\":2326,\"duration_us\":42,"
        "\"referer\":\"http://x/\",\"user_agent\":\"curl/8\"}\n");
    EXPECT_EQ(
        line(access_log_format::json, {.time_ms = -1, .status = 408}),
        "{\"time\":\"1969-12-31T23:59:59.999Z\",\"status\":408,\"bytes\":0,\"duration_us\":0}\n");
}

TEST(access_log, what_clients_send_cannot_forge_a_line) {
    access_entry forged = plain;
    forged.request_line = "GET /\" 200 1\n10.0.0.1 - - [x] \"GET /admin HTTP/1.1\x1b[2J";
    forged.user_agent = "\",\"status\":500,\"x\":\"\n";
    const std::string common = line(access_log_format::common, forged);
    EXPECT_EQ(common.find('\n'), common.size() - 1);
    EXPECT_NE(
        common.find("\"GET /\\\" 200 1\\x0a10.0.0.1 - - [x] \\\"GET /admin HTTP/1.1\\x1b[2J\" 200"),
        std::string::npos);
    const std::string json = line(access_log_format::json, forged);
    EXPECT_EQ(json.find('\n'), json.size() - 1);
    EXPECT_NE(json.find("\"user_agent\":\"\\\",\\\"status\\\":500,\\\"x\\\":\\\"\\n\"}"),
              std::string::npos);
}

TEST(access_log, the_longest_line_fits) {
    const std::string worst(100'000, '\x01');
    access_entry entry = plain;
    entry.client = entry.request_line = entry.host = entry.referer = entry.user_agent = worst;
    entry.time_ms = INT64_MAX;
    entry.duration_us = INT64_MIN;
    entry.body_bytes = UINT64_MAX;
    for (const auto format : {access_log_format::common, access_log_format::json}) {
        const std::string text = line(format, entry);
        EXPECT_TRUE(text.ends_with("\n"));
        EXPECT_NE(text.find("..."), std::string::npos);
    }
}

TEST(listings, show_directories_first_and_escape_names) {
    std::vector<listing_entry> entries = {{"b.txt", false, 10, 784'111'777},
                                          {"<a>&\".html", false, 2048, 784'111'777},
                                          {"zoo", true, 4096, 784'111'777},
                                          {"javascript:alert(1)", false, 3 << 20, 0}};
    const std::string html = make_listing("up/<dir>", entries);
    EXPECT_EQ(entries[0].name, "zoo");
    EXPECT_EQ(entries[1].name, "<a>&\".html");
    EXPECT_NE(html.find("<title>/up/&lt;dir&gt;/</title>"), std::string::npos);
    EXPECT_NE(html.find("<a href=\"../\">../</a>"), std::string::npos);
    EXPECT_NE(html.find("<a href=\"./zoo/\">zoo/</a><td>1994-11-06 08:49<td>\n"),
              std::string::npos);
    EXPECT_NE(html.find("<a href=\"./%3Ca%3E%26%22.html\">&lt;a&gt;&amp;&quot;.html</a><td>"
                        "1994-11-06 08:49<td>2.0 KiB\n"),
              std::string::npos);
    EXPECT_NE(html.find("<a href=\"./javascript%3Aalert%281%29\">"), std::string::npos);
    EXPECT_NE(html.find("<td>3.0 MiB\n"), std::string::npos);
    EXPECT_NE(html.find("<td>10 B\n"), std::string::npos);
}

TEST(listings, of_the_root_have_no_way_up) {
    const std::string html = make_listing(".", {});
    EXPECT_NE(html.find("<title>/</title>"), std::string::npos);
    EXPECT_EQ(html.find("../"), std::string::npos);
    EXPECT_NE(html.find("This directory is empty."), std::string::npos);
}

TEST(listings, sizes_are_readable) {
    auto size = [](std::uint64_t bytes) {
        std::vector<listing_entry> one = {{"x", false, bytes, 0}};
        const std::string html = make_listing(".", one);
        const std::size_t at = html.rfind("<td>") + 4;
        return html.substr(at, html.find('\n', at) - at);
    };
    EXPECT_EQ(size(0), "0 B");
    EXPECT_EQ(size(1023), "1023 B");
    EXPECT_EQ(size(1024), "1.0 KiB");
    EXPECT_EQ(size(1536), "1.5 KiB");
    EXPECT_EQ(size(1024 * 1024 - 1), "1023.9 KiB");
    EXPECT_EQ(size(1024 * 1024), "1.0 MiB");
    EXPECT_EQ(size(std::uint64_t{5} << 40), "5.0 TiB");
    EXPECT_EQ(size(UINT64_MAX), "15.9 EiB");
}

}  // namespace
