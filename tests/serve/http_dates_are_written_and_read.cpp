#include <gtest/gtest.h>
#include <time.h>

#include <random>
#include <string>

#include "serve/http_date.hpp"

namespace {

using namespace upcall_serve;

constexpr std::int64_t now = 1'763'600'000;  // 2025-11-20

std::string format(std::int64_t seconds) {
    const http_date_text text = format_http_date(seconds);
    return {text.data(), text.size()};
}

// The C library's opinion.
std::string format_by_library(std::int64_t seconds) {
    const time_t t = seconds;
    tm parts{};
    gmtime_r(&t, &parts);
    char text[64];
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return text;
}

TEST(http_dates, are_written_as_imf_fixdate) {
    EXPECT_EQ(format(784'111'777), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(format(0), "Thu, 01 Jan 1970 00:00:00 GMT");
    EXPECT_EQ(format(-1), "Wed, 31 Dec 1969 23:59:59 GMT");
    EXPECT_EQ(format(951'782'400), "Tue, 29 Feb 2000 00:00:00 GMT");
    EXPECT_EQ(format(253'402'300'799), "Fri, 31 Dec 9999 23:59:59 GMT");
    EXPECT_EQ(format(253'402'300'800), "Fri, 31 Dec 9999 23:59:59 GMT") << "brought into range";
    EXPECT_EQ(format(INT64_MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
    EXPECT_EQ(format(INT64_MIN), "Sat, 01 Jan 0000 00:00:00 GMT");
}

TEST(http_dates, agree_with_the_c_library_and_read_back) {
    std::mt19937_64 random(3);
    std::uniform_int_distribution<std::int64_t> any(-2'208'988'800, 253'402'300'799);
    for (int i = 0; i < 100'000; ++i) {
        const std::int64_t seconds = any(random);
        const std::string text = format(seconds);
        ASSERT_EQ(text, format_by_library(seconds));
        ASSERT_EQ(parse_http_date(text, now), seconds) << text;
    }
    for (std::int64_t day = -40'000; day < 60'000; ++day)
        ASSERT_EQ(parse_http_date(format(day * 86'400), now), day * 86'400);
}

TEST(http_dates, are_read_in_all_three_forms) {
    EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", now), 784'111'777);
    EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", now), 784'111'777);
    EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994", now), 784'111'777);
    EXPECT_EQ(parse_http_date("Wed Nov 16 08:49:37 1994", now), 784'975'777);
    EXPECT_EQ(parse_http_date("Tue, 29 Feb 2000 00:00:00 GMT", now), 951'782'400);
    EXPECT_EQ(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT", now), 1'483'228'800)
        << "leap second";
    EXPECT_EQ(parse_http_date("Mon, 06 Nov 1994 08:49:37 GMT", now), 784'111'777)
        << "wrong weekday";
}

TEST(http_dates, every_weekday_has_its_long_name) {
    const char* names[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                           "Thursday", "Friday", "Saturday"};
    for (int i = 0; i < 7; ++i) {
        const std::string text = std::string(names[i]) + ", " + (i < 4 ? "0" : "") +
                                 std::to_string(6 + i) + "-Nov-94 08:49:37 GMT";
        EXPECT_EQ(parse_http_date(text, now), 784'111'777 + i * 86'400) << text;
    }
}

TEST(http_dates, two_digit_years_are_at_most_fifty_ahead) {
    auto year = [](const char* digits, std::int64_t at) {
        const auto date =
            parse_http_date("Sunday, 06-Nov-" + std::string(digits) + " 00:00:00 GMT", at);
        return date ? calendar_from_unix(*date).year : -1;
    };
    EXPECT_EQ(year("25", now), 2025);
    EXPECT_EQ(year("75", now), 2075);
    EXPECT_EQ(year("76", now), 1976);
    EXPECT_EQ(year("99", now), 1999);
    EXPECT_EQ(year("00", now), 2000);
    constexpr std::int64_t in_1999 = 940'000'000;
    EXPECT_EQ(year("05", in_1999), 2005);
    EXPECT_EQ(year("94", in_1999), 1994);
    EXPECT_EQ(year("49", in_1999), 2049);
    EXPECT_EQ(year("50", in_1999), 1950);
}

TEST(http_dates, anything_else_is_no_date) {
    for (const char* text : {"",
                             " ",
                             "0",
                             "784111777",
                             "Sun",
                             "Sun,",
                             "Sun, 06 Nov 1994",
                             "Sun, 06 Nov 1994 08:49:37",
                             "Sun, 06 Nov 1994 08:49:37 UTC",
                             "Sun, 06 Nov 1994 08:49:37 +0000",
                             "Sun, 06 Nov 1994 08:49:37 GMT ",
                             " Sun, 06 Nov 1994 08:49:37 GMT",
                             "Sun, 6 Nov 1994 08:49:37 GMT",
                             "Sun, 06 nov 1994 08:49:37 GMT",
                             "sun, 06 Nov 1994 08:49:37 GMT",
                             "Sun, 06 Nov 94 08:49:37 GMT",
                             "Sun, 06 Nov 19940 08:49:37 GMT",
                             "Sun, 00 Nov 1994 08:49:37 GMT",
                             "Sun, 31 Nov 1994 08:49:37 GMT",
                             "Sun, 29 Feb 1994 08:49:37 GMT",
                             "Thu, 29 Feb 1900 08:49:37 GMT",
                             "Sun, 32 Dec 1994 08:49:37 GMT",
                             "Sun, 06 Foo 1994 08:49:37 GMT",
                             "Foo, 06 Nov 1994 08:49:37 GMT",
                             "Sun, 06 Nov 1994 24:49:37 GMT",
                             "Sun, 06 Nov 1994 08:60:37 GMT",
                             "Sun, 06 Nov 1994 08:49:61 GMT",
                             "Sun, 06 Nov 1994 8:49:37 GMT",
                             "Sun, 06 Nov 1994 08-49-37 GMT",
                             "Sun, 06 Nov -994 08:49:37 GMT",
                             "Sun,06 Nov 1994 08:49:37 GMT",
                             "Sun, 06-Nov-1994 08:49:37 GMT",
                             "Sunday, 06 Nov 1994 08:49:37 GMT",
                             "Sun, 06-Nov-94 08:49:37 GMT",
                             "Mosday, 06-Nov-94 08:49:37 GMT",
                             "Sunday, 06-Nov-94 08:49:37",
                             "Sun Nov 6 08:49:37 1994",
                             "Sun Nov 06 08:49:37 1994 GMT",
                             "Sun Nov  6 08:49:37 94",
                             "Sun Nov  6 08:49:37 1994 "})
        EXPECT_EQ(parse_http_date(text, now), std::nullopt) << text;
}

TEST(http_dates, the_cache_follows_the_second) {
    date_cache cache;
    EXPECT_EQ(cache.at(0), "Thu, 01 Jan 1970 00:00:00 GMT");
    EXPECT_EQ(cache.at(784'111'777), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(cache.at(784'111'777), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(cache.at(784'111'778), "Sun, 06 Nov 1994 08:49:38 GMT");
    EXPECT_EQ(cache.at(784'111'777), "Sun, 06 Nov 1994 08:49:37 GMT") << "a clock set back";
}

}  // namespace
