// Any text as a date: one that is read is within the years that can be written, and what is
// written is read as the same second.
#include <cstdint>
#include <string_view>

#include "check.hpp"
#include "serve/http_date.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace upcall_serve;
    constexpr std::int64_t now = 1'763'600'000;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto date = parse_http_date(text, now);
    if (!date) return 0;
    // A leap second at the end of year 9999 is the one date that cannot be written.
    if (*date == 253'402'300'800) return 0;
    const http_date_text written = format_http_date(*date);
    const std::string_view again(written.data(), written.size());
    FUZZ_CHECK(parse_http_date(again, now) == date);
    const calendar_time time = calendar_from_unix(*date);
    FUZZ_CHECK(unix_from_calendar(time) == *date);
    FUZZ_CHECK(time.month >= 1 && time.month <= 12 && time.day >= 1 && time.day <= 31);
    FUZZ_CHECK(time.weekday >= 0 && time.weekday <= 6);
    // IMF-fixdate is its own canonical form, but for the weekday and leap seconds.
    if (size == written.size() && text.ends_with(" GMT") && text[23] != '6')
        FUZZ_CHECK(text.substr(3) == again.substr(3));
    return 0;
}
