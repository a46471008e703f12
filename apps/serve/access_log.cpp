#include "serve/access_log.hpp"

#include "serve/escape.hpp"
#include "serve/http_date.hpp"

namespace upcall_serve {

namespace {

using put_escaped = void (*)(text_writer&, std::string_view);

// An escape makes a byte six at most, so these lengths keep a line below its bound.
constexpr std::size_t line_shown = 2048;
constexpr std::size_t field_shown = 512;
static_assert(6 * (line_shown + 4 * field_shown) < access_line_bytes_max);

void put_cut(text_writer& out, put_escaped put, std::string_view text, std::size_t shown) {
    put(out, text.substr(0, shown));
    if (text.size() > shown) out.put("...");
}

std::int64_t seconds_of(std::int64_t ms) { return ms / 1000 - (ms % 1000 < 0 ? 1 : 0); }

void put_clock(text_writer& out, const calendar_time& time) {
    out.put_two(time.hour).put(':').put_two(time.minute).put(':').put_two(time.second);
}

void put_common(text_writer& out, const access_entry& entry) {
    const calendar_time time = calendar_from_unix(seconds_of(entry.time_ms));
    put_cut(out, put_log, entry.client.empty() ? "-" : entry.client, field_shown);
    out.put(" - - [").put_two(time.day).put('/').put(month_name(time.month)).put('/');
    out.put(time.year).put(':');
    put_clock(out, time);
    out.put(" +0000] \"");
    put_cut(out, put_log, entry.request_line.empty() ? "-" : entry.request_line, line_shown);
    out.put("\" ").put(entry.status).put(' ').put(entry.body_bytes).put('\n');
}

void put_member(text_writer& out, std::string_view name, std::string_view text,
                std::size_t shown = field_shown) {
    if (text.empty()) return;
    out.put(",\"").put(name).put("\":\"");
    put_cut(out, put_json, text, shown);
    out.put('"');
}

void put_json_line(text_writer& out, const access_entry& entry) {
    const std::int64_t seconds = seconds_of(entry.time_ms);
    const calendar_time time = calendar_from_unix(seconds);
    const auto ms = static_cast<int>(entry.time_ms - seconds * 1000);
    out.put("{\"time\":\"").put(time.year).put('-').put_two(time.month).put('-');
    out.put_two(time.day).put('T');
    put_clock(out, time);
    out.put('.').put(ms / 100).put_two(ms % 100).put("Z\"");
    put_member(out, "client", entry.client);
    put_member(out, "host", entry.host);
    put_member(out, "request", entry.request_line, line_shown);
    out.put(",\"status\":").put(entry.status).put(",\"bytes\":").put(entry.body_bytes);
    out.put(",\"duration_us\":").put(entry.duration_us);
    put_member(out, "referer", entry.referer);
    put_member(out, "user_agent", entry.user_agent);
    out.put("}\n");
}

}  // namespace

void put_access_line(text_writer& out, access_log_format format, const access_entry& entry) {
    switch (format) {
        case access_log_format::common:
            return put_common(out, entry);
        case access_log_format::json:
            return put_json_line(out, entry);
    }
}

}  // namespace upcall_serve
