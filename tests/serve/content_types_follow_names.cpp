#include <gtest/gtest.h>

#include <string>

#include "serve/mime.hpp"
#include "serve/status.hpp"

namespace {

using upcall_serve::content_type_of;

TEST(content_types, of_common_endings) {
    struct {
        const char* path;
        const char* type;
    } cases[] = {
        {"index.html", "text/html; charset=utf-8"},
        {"a/b.c/style.css", "text/css; charset=utf-8"},
        {"app.js", "text/javascript; charset=utf-8"},
        {"m.mjs", "text/javascript; charset=utf-8"},
        {"data.json", "application/json"},
        {"logo.svg", "image/svg+xml"},
        {"photo.JPG", "image/jpeg"},
        {"Photo.JpEg", "image/jpeg"},
        {"i.png", "image/png"},
        {"i.webp", "image/webp"},
        {"i.avif", "image/avif"},
        {"favicon.ico", "image/x-icon"},
        {"f.woff2", "font/woff2"},
        {"v.mp4", "video/mp4"},
        {"a.mp3", "audio/mpeg"},
        {"x.wasm", "application/wasm"},
        {"p.pdf", "application/pdf"},
        {"t.txt", "text/plain; charset=utf-8"},
        {"README.md", "text/markdown; charset=utf-8"},
        {"site.webmanifest", "application/manifest+json"},
        {"a.tar.gz", "application/gzip"},
        {"7.7z", "application/x-7z-compressed"},
        {"z.zst", "application/zstd"},
        {".html", "text/html; charset=utf-8"},
    };
    for (const auto& each : cases) EXPECT_EQ(content_type_of(each.path), each.type) << each.path;
}

TEST(content_types, of_unknown_endings_say_nothing) {
    for (const char* path : {"", "Makefile", "a.", ".", "a.unknown", "a.htmlx", "a.htm l", "html",
                             "a.html/b", "a.js/", "a.verylongendingthatnobodyuses", "a.\xc3\xa9"})
        EXPECT_EQ(content_type_of(path), "application/octet-stream") << path;
}

TEST(statuses, have_their_phrases) {
    EXPECT_EQ(upcall_serve::reason_phrase(200), "OK");
    EXPECT_EQ(upcall_serve::reason_phrase(431), "Request Header Fields Too Large");
    for (int status : {200, 206, 301, 304, 400, 403, 404, 405, 408, 412,
                       413, 414, 416, 417, 429, 431, 500, 501, 503, 505}) {
        EXPECT_NE(upcall_serve::reason_phrase(status), "Unknown") << status;
        EXPECT_TRUE(upcall_serve::status_line(status).starts_with("HTTP/1.1 " +
                                                                  std::to_string(status) + " "));
        EXPECT_TRUE(upcall_serve::status_line(status).ends_with("\r\n"));
    }
    EXPECT_EQ(upcall_serve::reason_phrase(299), "Unknown");
}

}  // namespace
