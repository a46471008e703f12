#include "serve/conditions.hpp"
#include "serve/etag.hpp"
#include "serve/parsed_request.hpp"

namespace {

using namespace upcall_serve;

constexpr std::int64_t modified = 784'111'777;  // Sun, 06 Nov 1994 08:49:37 GMT
constexpr std::int64_t now = modified + 3600;
constexpr validators current{"\"abc\"", modified};

#define SAME "Sun, 06 Nov 1994 08:49:37 GMT"
#define EARLIER "Sun, 06 Nov 1994 08:49:36 GMT"
#define LATER "Sun, 06 Nov 1994 08:49:38 GMT"

precondition check(std::string_view fields, std::string_view line = "GET / HTTP/1.1") {
    const parsed_request it(fields, line);
    return check_preconditions(*it, current, now);
}

constexpr auto met = precondition::met;
constexpr auto not_modified = precondition::not_modified;
constexpr auto failed = precondition::failed;

TEST(conditional_requests, without_conditions_are_met) { EXPECT_EQ(check(""), met); }

TEST(conditional_requests, if_none_match) {
    for (const char* list :
         {"\"abc\"", "W/\"abc\"", "*", " * ", "\"x\", \"abc\"", "\"abc\",\"x\"",
          "\"x\",,\t\"abc\" ,", ",\"abc\"", "\"a,b\", \"abc\"", "W/\"x\", W/\"abc\""})
        EXPECT_EQ(check("If-None-Match: " + std::string(list) + "\r\n"), not_modified) << list;
    for (const char* list : {"", "\"x\"", "\"ab\"", "\"abcd\"", "\"ABC\"", "\"\"", "abc", "\"abc",
                             "abc\"", "w/\"abc\"", "W/abc", "\"abc\" \"x\"", "\"abc\"x", "*, \"x\"",
                             "\"abc\", x", "\"a bc\", \"abc\"", "**", "\"x\";\"abc\""})
        EXPECT_EQ(check("If-None-Match: " + std::string(list) + "\r\n"), met) << list;
    EXPECT_EQ(check("If-None-Match: \"x\"\r\nIf-None-Match: \"abc\"\r\n"), not_modified);
    EXPECT_EQ(check("If-None-Match: \"abc\"\r\nIf-None-Match: x\r\n"), met);
    EXPECT_EQ(check("If-None-Match: \"abc\"\r\n", "HEAD / HTTP/1.1"), not_modified);
}

TEST(conditional_requests, if_modified_since) {
    EXPECT_EQ(check("If-Modified-Since: " SAME "\r\n"), not_modified);
    EXPECT_EQ(check("If-Modified-Since: " LATER "\r\n"), not_modified);
    EXPECT_EQ(check("If-Modified-Since: " EARLIER "\r\n"), met);
    EXPECT_EQ(check("If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT\r\n"), not_modified);
    EXPECT_EQ(check("If-Modified-Since: Sun Nov  6 08:49:37 1994\r\n"), not_modified);
    EXPECT_EQ(check("If-Modified-Since: yesterday\r\n"), met);
    EXPECT_EQ(check("If-Modified-Since:\r\n"), met);
    EXPECT_EQ(check("If-Modified-Since: " SAME "\r\nIf-Modified-Since: " SAME "\r\n"), met);
    EXPECT_EQ(check("If-Modified-Since: " SAME "\r\n", "HEAD / HTTP/1.1"), not_modified);
}

TEST(conditional_requests, of_what_has_no_validators_match_by_an_asterisk_alone) {
    const auto check_bare = [](std::string_view fields) {
        return check_preconditions(*parsed_request(fields, "GET / HTTP/1.1"));
    };
    EXPECT_EQ(check_bare(""), met);
    EXPECT_EQ(check_bare("If-Match: *\r\n"), met);
    EXPECT_EQ(check_bare("If-None-Match: *\r\n"), not_modified);
    for (const char* list : {"\"x\"", "\"\"", "W/\"\"", "", "x"}) {
        EXPECT_EQ(check_bare("If-Match: " + std::string(list) + "\r\n"), failed) << list;
        EXPECT_EQ(check_bare("If-None-Match: " + std::string(list) + "\r\n"), met) << list;
    }
    EXPECT_EQ(check_bare("If-None-Match: *\r\nIf-Match: \"x\"\r\n"), failed);
    EXPECT_EQ(check_bare("If-Unmodified-Since: " EARLIER "\r\n"), met);
    EXPECT_EQ(check_bare("If-Modified-Since: " LATER "\r\n"), met);
}

TEST(conditional_requests, if_match) {
    EXPECT_EQ(check("If-Match: \"abc\"\r\n"), met);
    EXPECT_EQ(check("If-Match: *\r\n"), met);
    EXPECT_EQ(check("If-Match: \"x\", \"abc\"\r\n"), met);
    EXPECT_EQ(check("If-Match: \"x\"\r\nIf-Match: \"abc\"\r\n"), met);
    EXPECT_EQ(check("If-Match: \"x\"\r\n"), failed);
    EXPECT_EQ(check("If-Match: W/\"abc\"\r\n"), failed) << "strong comparison";
    EXPECT_EQ(check("If-Match: abc\r\n"), failed);
    EXPECT_EQ(check("If-Match:\r\n"), failed);
}

TEST(conditional_requests, if_unmodified_since) {
    EXPECT_EQ(check("If-Unmodified-Since: " SAME "\r\n"), met);
    EXPECT_EQ(check("If-Unmodified-Since: " LATER "\r\n"), met);
    EXPECT_EQ(check("If-Unmodified-Since: " EARLIER "\r\n"), failed);
    EXPECT_EQ(check("If-Unmodified-Since: never\r\n"), met);
}

// Section 13.2.2: each pair, with the one that decides.
TEST(conditional_requests, are_taken_in_order) {
    EXPECT_EQ(check("If-Unmodified-Since: " EARLIER "\r\nIf-Match: \"abc\"\r\n"), met);
    EXPECT_EQ(check("If-Unmodified-Since: " SAME "\r\nIf-Match: \"x\"\r\n"), failed);
    EXPECT_EQ(check("If-Modified-Since: " SAME "\r\nIf-None-Match: \"x\"\r\n"), met);
    EXPECT_EQ(check("If-Modified-Since: " EARLIER "\r\nIf-None-Match: \"abc\"\r\n"), not_modified);
    EXPECT_EQ(check("If-None-Match: \"abc\"\r\nIf-Match: \"x\"\r\n"), failed);
    EXPECT_EQ(check("If-None-Match: \"abc\"\r\nIf-Match: \"abc\"\r\n"), not_modified);
    EXPECT_EQ(check("If-Modified-Since: " SAME "\r\nIf-Unmodified-Since: " EARLIER "\r\n"), failed);
    EXPECT_EQ(check("If-Modified-Since: " SAME "\r\nIf-Unmodified-Since: " SAME "\r\n"),
              not_modified);
    EXPECT_EQ(check("If-Modified-Since: " SAME "\r\nIf-None-Match: abc\r\n"), met);
}

bool ranged(std::string_view fields, std::string_view line = "GET / HTTP/1.1",
            std::int64_t at = now) {
    const parsed_request it(fields, line);
    return range_is_wanted(*it, current, at);
}

TEST(conditional_requests, if_range) {
#define RANGE "Range: bytes=0-1\r\n"
    EXPECT_TRUE(ranged(RANGE));
    EXPECT_TRUE(ranged(RANGE "If-Range: \"abc\"\r\n"));
    EXPECT_TRUE(ranged(RANGE "If-Range: " SAME "\r\n"));
    EXPECT_TRUE(ranged(RANGE "If-Range: Sunday, 06-Nov-94 08:49:37 GMT\r\n"));
    EXPECT_FALSE(ranged(RANGE "If-Range: W/\"abc\"\r\n")) << "weak";
    EXPECT_FALSE(ranged(RANGE "If-Range: \"x\"\r\n"));
    EXPECT_FALSE(ranged(RANGE "If-Range: \"abc\", \"x\"\r\n")) << "a list";
    EXPECT_FALSE(ranged(RANGE "If-Range: *\r\n"));
    EXPECT_FALSE(ranged(RANGE "If-Range: " LATER "\r\n")) << "not the very date";
    EXPECT_FALSE(ranged(RANGE "If-Range: " EARLIER "\r\n"));
    EXPECT_FALSE(ranged(RANGE "If-Range: x\r\n"));
    EXPECT_FALSE(ranged(RANGE "If-Range:\r\n"));
    EXPECT_FALSE(ranged(RANGE "If-Range: \"abc\"\r\nIf-Range: \"abc\"\r\n"));
    EXPECT_FALSE(ranged(RANGE "If-Range: " SAME "\r\n", "GET / HTTP/1.1", modified))
        << "not strong yet";
    EXPECT_TRUE(ranged(RANGE "If-Range: " SAME "\r\n", "GET / HTTP/1.1", modified + 1));
}

TEST(conditional_requests, a_range_is_for_get_and_stands_once) {
    EXPECT_FALSE(ranged(""));
    EXPECT_FALSE(ranged("If-Range: \"abc\"\r\n"));
    EXPECT_FALSE(ranged(RANGE, "HEAD / HTTP/1.1"));
    EXPECT_FALSE(ranged(RANGE RANGE));
    EXPECT_FALSE(ranged("Range:\r\n"));
}

TEST(etags, differ_with_each_of_what_makes_them) {
    const etag base = etag::of_file(1'000'000'001, 5, 7);
    EXPECT_EQ(base.text(), etag::of_file(1'000'000'001, 5, 7).text());
    EXPECT_NE(base.text(), etag::of_file(1'000'000'002, 5, 7).text());
    EXPECT_NE(base.text(), etag::of_file(1'000'000'001, 6, 7).text());
    EXPECT_NE(base.text(), etag::of_file(1'000'000'001, 5, 8).text());
    EXPECT_NE(etag::of_file(1, 0, 2).text(), etag::of_file(2, 0, 1).text());
}

TEST(etags, are_strong_and_can_be_sent_back) {
    for (std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{1}, UINT64_MAX}) {
        const etag tag = etag::of_file(-1, bytes, UINT64_MAX);
        std::string_view list = tag.text();
        const auto sent = take_etag(list);
        ASSERT_TRUE(sent) << tag.text();
        EXPECT_FALSE(sent->weak);
        EXPECT_EQ(sent->quoted, tag.text());
        EXPECT_TRUE(list.empty());
    }
}

}  // namespace
