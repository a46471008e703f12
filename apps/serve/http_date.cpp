#include "serve/http_date.hpp"

#include <algorithm>
#include <cstring>

#include "serve/chars.hpp"

namespace upcall_serve {

namespace {

constexpr std::string_view weekdays = "SunMonTueWedThuFriSat";
constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
constexpr std::int64_t day_seconds = 86'400;

// Days from 1970-01-01. Years begin in March here, so that a leap day ends its year, and an era
// is 400 of them: 146,097 days.
std::int64_t days_from_civil(int year, int month, int day) {
    const std::int64_t y = month <= 2 ? year - 1 : year;
    const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
    const std::int64_t year_of_era = y - era * 400;
    const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    const std::int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146'097 + day_of_era - 719'468;
}

bool is_leap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int days_of_month(int year, int month) {
    constexpr std::array<int, 12> days = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[static_cast<std::size_t>(month - 1)];
}

void put_digits(char* at, int digits, int value) {
    for (int i = digits - 1; i >= 0; --i) {
        at[i] = static_cast<char>('0' + value % 10);
        value /= 10;
    }
}

// Takes the text apart from the front; once anything is amiss, everything is.
class reader {
  public:
    explicit reader(std::string_view text) : rest_(text) {}

    void literal(std::string_view expected) {
        if (!rest_.starts_with(expected)) return fail();
        rest_.remove_prefix(expected.size());
    }
    int number(std::size_t digits) {
        if (rest_.size() < digits || !std::ranges::all_of(rest_.substr(0, digits), is_digit)) {
            fail();
            return 0;
        }
        int value = 0;
        for (char c : rest_.substr(0, digits)) value = value * 10 + (c - '0');
        rest_.remove_prefix(digits);
        return value;
    }
    // asctime pads the day with a space.
    int day_of_asctime() {
        if (!rest_.starts_with(' ')) return number(2);
        rest_.remove_prefix(1);
        return number(1);
    }
    // One of the three-letter names: its index.
    int name(std::string_view names) {
        for (std::size_t i = 0; i < names.size(); i += 3)
            if (rest_.starts_with(names.substr(i, 3))) {
                rest_.remove_prefix(3);
                return static_cast<int>(i / 3);
            }
        fail();
        return 0;
    }
    void clock(calendar_time& into) {
        into.hour = number(2);
        literal(":");
        into.minute = number(2);
        literal(":");
        into.second = number(2);
    }
    bool at_comma() const { return rest_.starts_with(','); }
    bool at_space() const { return rest_.starts_with(' '); }
    bool done() const { return good_ && rest_.empty(); }

  private:
    void fail() {
        good_ = false;
        rest_ = {};
    }

    std::string_view rest_;
    bool good_ = true;
};

void read_fixdate(reader& text, calendar_time& into) {
    text.literal(", ");
    into.day = text.number(2);
    text.literal(" ");
    into.month = text.name(months) + 1;
    text.literal(" ");
    into.year = text.number(4);
    text.literal(" ");
    text.clock(into);
    text.literal(" GMT");
}

void read_asctime(reader& text, calendar_time& into) {
    text.literal(" ");
    into.month = text.name(months) + 1;
    text.literal(" ");
    into.day = text.day_of_asctime();
    text.literal(" ");
    text.clock(into);
    text.literal(" ");
    into.year = text.number(4);
}

void read_rfc850(reader& text, calendar_time& into, int weekday, std::int64_t now) {
    constexpr std::array<std::string_view, 7> endings = {"day",   "day", "sday", "nesday",
                                                         "rsday", "day", "urday"};
    text.literal(endings[static_cast<std::size_t>(weekday)]);
    text.literal(", ");
    into.day = text.number(2);
    text.literal("-");
    into.month = text.name(months) + 1;
    text.literal("-");
    const int this_year = calendar_from_unix(now).year;
    into.year = this_year - this_year % 100 + text.number(2);
    if (into.year > this_year + 50) into.year -= 100;
    if (into.year <= this_year - 50) into.year += 100;
    text.literal(" ");
    text.clock(into);
    text.literal(" GMT");
}

}  // namespace

calendar_time calendar_from_unix(std::int64_t seconds) {
    std::int64_t days = seconds / day_seconds;
    std::int64_t rest = seconds % day_seconds;
    if (rest < 0) {
        rest += day_seconds;
        --days;
    }
    const std::int64_t z = days + 719'468;
    const std::int64_t era = (z >= 0 ? z : z - 146'096) / 146'097;
    const std::int64_t day_of_era = z - era * 146'097;
    const std::int64_t year_of_era =
        (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
    const std::int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t month_from_march = (5 * day_of_year + 2) / 153;
    calendar_time time{};
    time.day = static_cast<int>(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    time.month =
        static_cast<int>(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    time.year = static_cast<int>(year_of_era + era * 400 + (time.month <= 2 ? 1 : 0));
    time.hour = static_cast<int>(rest / 3600);
    time.minute = static_cast<int>(rest / 60 % 60);
    time.second = static_cast<int>(rest % 60);
    time.weekday = static_cast<int>(((days + 4) % 7 + 7) % 7);
    return time;
}

std::int64_t unix_from_calendar(const calendar_time& time) {
    const int second_of_day = (time.hour * 60 + time.minute) * 60 + time.second;
    return days_from_civil(time.year, time.month, time.day) * day_seconds + second_of_day;
}

std::string_view weekday_name(int weekday) {
    return weekdays.substr(static_cast<std::size_t>(weekday) * 3, 3);
}

std::string_view month_name(int month) {
    return months.substr(static_cast<std::size_t>(month - 1) * 3, 3);
}

http_date_text format_http_date(std::int64_t seconds) {
    constexpr std::int64_t year_0 = -62'167'219'200;
    constexpr std::int64_t year_10000 = 253'402'300'800;
    const calendar_time time = calendar_from_unix(std::clamp(seconds, year_0, year_10000 - 1));
    http_date_text text;
    std::memcpy(text.data(), "Sun, 06 Nov 1994 08:49:37 GMT", text.size());
    std::ranges::copy(weekday_name(time.weekday), text.data());
    put_digits(text.data() + 5, 2, time.day);
    std::ranges::copy(month_name(time.month), text.data() + 8);
    put_digits(text.data() + 12, 4, time.year);
    put_digits(text.data() + 17, 2, time.hour);
    put_digits(text.data() + 20, 2, time.minute);
    put_digits(text.data() + 23, 2, time.second);
    return text;
}

std::optional<std::int64_t> parse_http_date(std::string_view text, std::int64_t now) {
    reader from(text);
    calendar_time time{};
    const int weekday = from.name(weekdays);
    if (from.at_comma())
        read_fixdate(from, time);
    else if (from.at_space())
        read_asctime(from, time);
    else
        read_rfc850(from, time, weekday, now);
    if (!from.done() || time.day < 1 || time.day > days_of_month(time.year, time.month) ||
        time.hour > 23 || time.minute > 59 || time.second > 60)
        return std::nullopt;
    return unix_from_calendar(time);
}

}  // namespace upcall_serve
