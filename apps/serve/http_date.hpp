// Dates as HTTP writes them (RFC 9110, section 5.6.7): seconds since 1970, UTC.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace upcall_serve {

// A date and time of the proleptic Gregorian calendar.
struct calendar_time {
    int year;
    int month;  // 1 to 12
    int day;    // 1 to 31
    int hour;
    int minute;
    int second;
    int weekday;  // 0 is Sunday
};

calendar_time calendar_from_unix(std::int64_t seconds);
std::int64_t unix_from_calendar(const calendar_time& time);  // ignores `weekday`

std::string_view weekday_name(int weekday);  // "Sun"
std::string_view month_name(int month);      // "Jan"

// "Sun, 06 Nov 1994 08:49:37 GMT": 29 characters for the years 0 to 9999, to which other dates
// are brought.
inline constexpr std::size_t http_date_bytes = 29;
using http_date_text = std::array<char, http_date_bytes>;
http_date_text format_http_date(std::int64_t seconds);

// Reads the three forms that a recipient must take: IMF-fixdate, RFC 850 and asctime. Nothing
// where the text is none of them or names no real date; a weekday that does not fit the date is
// forgiven. `now` settles the century of RFC 850's years: never more than 50 years ahead.
std::optional<std::int64_t> parse_http_date(std::string_view text, std::int64_t now);

// The text of the current second, made once per second. One thread at a time.
class date_cache {
  public:
    // Valid until the next call.
    std::string_view at(std::int64_t now) {
        if (now != second_) {
            text_ = format_http_date(now);
            second_ = now;
        }
        return {text_.data(), text_.size()};
    }

  private:
    std::int64_t second_ = 0;
    http_date_text text_ = format_http_date(0);
};

}  // namespace upcall_serve
