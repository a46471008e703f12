// Any bytes in a page, a URL, a log line: nothing that has a meaning there comes out bare.
#include <cstdint>
#include <string>
#include <string_view>

#include "check.hpp"
#include "serve/access_log.hpp"
#include "serve/escape.hpp"
#include "serve/utf8.hpp"

namespace {

using namespace upcall_serve;

std::string with(void (*put)(text_writer&, std::string_view), std::string_view text) {
    std::string buffer(text.size() * 6, '\0');
    text_writer out(buffer);
    put(out, text);
    FUZZ_CHECK(out.fits());
    return std::string(out.text());
}

bool has_any(std::string_view text, std::string_view bytes) {
    return text.find_first_of(bytes) != std::string_view::npos;
}

bool is_printable(std::string_view text) {
    for (char c : text)
        if (c < 0x20 || c >= 0x7f) return false;
    return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::string html = with(put_html, text);
    FUZZ_CHECK(!has_any(html, "<>\"'") && is_utf8(html));
    const std::string url = with(put_url_path, text);
    FUZZ_CHECK(is_printable(url) && !has_any(url, " \"<>\\^`{|}?#&:;'"));
    const std::string log = with(put_log, text);
    FUZZ_CHECK(is_printable(log));
    const std::string json = with(put_json, text);
    FUZZ_CHECK(is_printable(json));

    access_entry entry;
    entry.client = entry.request_line = entry.host = entry.referer = entry.user_agent = text;
    static char line[access_line_bytes_max];
    for (const auto format : {access_log_format::common, access_log_format::json}) {
        text_writer out(line);
        put_access_line(out, format, entry);
        FUZZ_CHECK(out.fits() && out.text().find('\n') == out.text().size() - 1);
    }
    return 0;
}
