#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "serve/target.hpp"

namespace {

using upcall_serve::can_be_asked_for;
using upcall_serve::decode_target;
using upcall_serve::decoded_target_bytes;
using upcall_serve::path_rules;

struct decoded {
    int status = 0;
    std::string path{};
    bool directory = false;
    std::string query{};
    bool operator==(const decoded&) const = default;
};

void PrintTo(const decoded& it, std::ostream* out) {
    *out << it.status << " \"" << it.path << (it.directory ? "\" directory ?" : "\" ?") << it.query;
}

decoded decode(std::string_view target, const path_rules& rules = {}) {
    std::vector<char> out(decoded_target_bytes(target.size()), '#');
    const auto result = decode_target(target, out, rules);
    if (!result) return {.status = result.error().status};
    EXPECT_EQ(result->path.data()[result->path.size()], '\0');
    EXPECT_EQ(result->path.data(), out.data());
    return {0, std::string(result->path), result->directory, std::string(result->query)};
}

int status(std::string_view target, const path_rules& rules = {}) {
    return decode(target, rules).status;
}

TEST(target_paths, are_relative_and_decoded_once) {
    EXPECT_EQ(decode("/"), (decoded{0, ".", true, ""}));
    EXPECT_EQ(decode("/a"), (decoded{0, "a", false, ""}));
    EXPECT_EQ(decode("/a/"), (decoded{0, "a", true, ""}));
    EXPECT_EQ(decode("/a/b.html?c=d?e"), (decoded{0, "a/b.html", false, "c=d?e"}));
    EXPECT_EQ(decode("/?"), (decoded{0, ".", true, ""}));
    EXPECT_EQ(decode("/?/../x%zz"), (decoded{0, ".", true, "/../x%zz"}));
    EXPECT_EQ(decode("/a%20b"), (decoded{0, "a b", false, ""}));
    EXPECT_EQ(decode("/%41%7e%2D"), (decoded{0, "A~-", false, ""}));
    EXPECT_EQ(decode("/caf%C3%A9"), (decoded{0, "caf\xc3\xa9", false, ""}));
    EXPECT_EQ(decode("/%F0%9F%8C%8D"), (decoded{0, "\xf0\x9f\x8c\x8d", false, ""}));
    EXPECT_EQ(decode("/a%3Fb"), (decoded{0, "a?b", false, ""}));
    EXPECT_EQ(decode("/a%23b"), (decoded{0, "a#b", false, ""}));
    EXPECT_EQ(decode("/a;b=c"), (decoded{0, "a;b=c", false, ""}));
    EXPECT_EQ(decode("/a+b"), (decoded{0, "a+b", false, ""}));
    EXPECT_EQ(decode("/%2541"), (decoded{0, "%41", false, ""})) << "decoded twice";
    EXPECT_EQ(decode("/%252e%252e/x"), (decoded{0, "%2e%2e/x", false, ""})) << "decoded twice";
    EXPECT_EQ(decode("/a./b..c/...d"), (decoded{.status = 404}));
    EXPECT_EQ(decode("/a./b..c/d..."), (decoded{0, "a./b..c/d...", false, ""}));
}

TEST(target_paths, repeated_slashes_count_as_one) {
    EXPECT_EQ(decode("//"), (decoded{0, ".", true, ""}));
    EXPECT_EQ(decode("///a//b//"), (decoded{0, "a/b", true, ""}));
    EXPECT_EQ(decode("//example.com/x"), (decoded{0, "example.com/x", false, ""}));
}

TEST(target_paths, dot_segments_are_400_in_every_disguise) {
    for (const char* target :
         {"/.", "/..", "/./", "/../", "/../etc/passwd", "/a/../b", "/a/..", "/a/.", "/./a",
          "//..//", "/%2e", "/%2E%2e", "/.%2e/", "/%2e./x", "/a/%2e%2e/%2E%2E/etc/passwd",
          "/a/%2e/b", "/..?x", "/a/..//b", "/.well-known/../x"})
        EXPECT_EQ(status(target), 400) << target;
}

TEST(target_paths, encoded_separators_are_400) {
    for (const char* target : {"/a%2fb", "/a%2Fb", "/%2f", "/..%2fetc", "/%2e%2e%2f", "/a%5cb",
                               "/..%5C..%5cx", "/a\\b", "/\\", "/..\\x"})
        EXPECT_EQ(status(target), 400) << target;
}

TEST(target_paths, bad_escapes_are_400) {
    for (const char* target : {"/%", "/a%", "/%4", "/%g0", "/%0g", "/%%41", "/% 41", "/%-1", "/%+1",
                               "/%u0041", "/a%4?b", "/%\xc3\xa9"})
        EXPECT_EQ(status(target), 400) << target;
}

TEST(target_paths, control_characters_are_400) {
    for (const char* target : {"/%00", "/a%00.html", "/%00/x", "/%0a", "/%0d%0aX:y", "/%09", "/%1f",
                               "/%7f", "/a\x01", "/a b", "/a\x7f", "/a#b"})
        EXPECT_EQ(status(target), 400) << target;
}

TEST(target_paths, what_is_not_utf8_is_400) {
    for (const char* target : {"/%80",
                               "/%bf",
                               "/%c0%af",
                               "/%c0%ae%c0%ae/",
                               "/%c1%9c",
                               "/%e0%80%af",
                               "/%e0%9f%bf",
                               "/%f0%80%80%af",
                               "/%f0%8f%bf%bf",
                               "/%f8%80%80%80%af",
                               "/%fc%80%80%80%80%af",
                               "/%fe",
                               "/%ff",
                               "/%c3",
                               "/%c3/%a9",
                               "/%e2%82",
                               "/%ed%a0%80",
                               "/%ed%bf%bf",
                               "/%f4%90%80%80",
                               "/%f5%80%80%80",
                               "/%c3%28",
                               "/\xc3\xa9"})
        EXPECT_EQ(status(target), 400) << target;
    for (const char* target : {"/%c2%80", "/%df%bf", "/%e0%a0%80", "/%ed%9f%bf", "/%ee%80%80",
                               "/%ef%bf%bf", "/%f0%90%80%80", "/%f4%8f%bf%bf"})
        EXPECT_EQ(status(target), 0) << target;
}

TEST(target_paths, hidden_files_are_404_unless_asked_for) {
    const path_rules open{.dotfiles = true};
    for (const char* target :
         {"/.git/config", "/.env", "/a/.htaccess", "/a/.b/c", "/%2egit", "/...", "/.well-knownx",
          "/a/.well-known/x", "/.well-known/.x", "/..a"}) {
        EXPECT_EQ(status(target), 404) << target;
        EXPECT_EQ(status(target, open), 0) << target;
    }
    EXPECT_EQ(decode("/.well-known/security.txt"),
              (decoded{0, ".well-known/security.txt", false, ""}));
    EXPECT_EQ(status("/..", open), 400);
}

TEST(target_paths, a_name_can_be_asked_for_where_a_target_leads_to_it) {
    for (const char* name : {"a", "a b", "x:y", "q?z", "h#h", "pc%41", "<b>", "\"q", "\xc3\xa9"})
        EXPECT_TRUE(can_be_asked_for(name)) << name;
    for (const char* name :
         {"back\\slash", "new\nline", "\x01", "\x7f", "bad\xff", ".hidden", ".."})
        EXPECT_FALSE(can_be_asked_for(name)) << name;
    EXPECT_TRUE(can_be_asked_for(".hidden", {.dotfiles = true}));
    EXPECT_FALSE(can_be_asked_for("nul.txt", {.windows_names = true}));
}

TEST(target_paths, windows_names_are_404_where_they_bite) {
    const path_rules windows{.windows_names = true};
    const path_rules posix{.windows_names = false};
    for (const char* target :
         {"/a.",       "/a%20",   "/a./b",       "/C:/x",  "/c:",         "/a:b",
          "/a::$DATA", "/con",    "/CON.txt",    "/a/Nul", "/aux.tar.gz", "/prn",
          "/com1",     "/LPT9.x", "/con%20.txt", "/a*",    "/a%3fb",      "/a%3Cb",
          "/a|b",      "/conin$", "/CONOUT$.x",  "/%22a"}) {
        EXPECT_EQ(status(target, windows), 404) << target;
        EXPECT_EQ(status(target, posix), 0) << target;
    }
    for (const char* target :
         {"/console", "/com", "/com10", "/lpt", "/a.b", "/nullable", "/x/auxiliary"})
        EXPECT_EQ(status(target, windows), 0) << target;
}

TEST(target_paths, a_buffer_that_is_too_small_is_414) {
    char small[8];
    EXPECT_TRUE(decode_target("/12345", small));
    const auto result = decode_target("/123456", small);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().status, 414);
}

// Whatever passes has no way out: no empty, dot or absolute part, no NUL, no backslash.
TEST(target_paths, random_targets_never_escape) {
    const std::vector<std::string> pieces = {"/",      "..",  ".",  "%2e", "%2E", "a",
                                             "%2f",    "%5c", "\\", "%00", "%25", "%252e",
                                             "%c0%ae", "%41", "?",  "//",  ";",   "~"};
    std::mt19937 random(11);
    int passed = 0;
    for (int round = 0; round < 60'000; ++round) {
        std::string target = "/";
        for (auto left = random() % 8; left > 0; --left) target += pieces[random() % pieces.size()];
        const decoded it = decode(target, {.dotfiles = true});
        if (it.status != 0) continue;
        ++passed;
        ASSERT_FALSE(it.path.empty()) << target;
        ASSERT_NE(it.path.front(), '/') << target;
        ASSERT_NE(it.path.back(), '/') << target;
        ASSERT_EQ(it.path.find('\\'), std::string::npos) << target;
        ASSERT_EQ(it.path.find('\0'), std::string::npos) << target;
        ASSERT_EQ(it.path.find("//"), std::string::npos) << target;
        if (it.path == ".") continue;
        const std::string fenced = "/" + it.path + "/";
        ASSERT_EQ(fenced.find("/../"), std::string::npos) << target;
        ASSERT_EQ(fenced.find("/./"), std::string::npos) << target;
    }
    EXPECT_GT(passed, 3'000);
}

}  // namespace
