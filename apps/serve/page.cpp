#include "serve/page.hpp"

#include <algorithm>
#include <tuple>

#include "serve/escape.hpp"
#include "serve/http_date.hpp"

namespace upcall_serve {

namespace {

constexpr std::string_view page_begin =
    "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">"
    "<meta name=\"viewport\" content=\"width=device-width\">"
    "<style>:root{color-scheme:light dark}"
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:50rem;margin:3rem auto;padding:0 1rem}"
    "h1{font-size:1.4rem;overflow-wrap:anywhere}p,td:nth-child(n+2),footer{opacity:.7}"
    "table{border-collapse:collapse;width:100%}td{padding:.2rem 1rem .2rem 0}"
    "td:nth-child(n+2){text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}"
    "a{text-decoration:none}a:hover{text-decoration:underline}"
    "footer{margin-top:2rem;font-size:.85rem}</style><title>";

constexpr std::string_view page_end = "<footer>upcall</footer></html>\n";

constexpr std::string_view html_line = "Content-Type: text/html; charset=utf-8\r\n";

// Nothing is loaded and nothing runs, whatever a file name might smuggle in.
constexpr std::string_view listing_lines =
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n";

std::string_view advice(int status) {
    switch (status) {
        case 400:
            return "The request was not understood.";
        case 403:
            return "This is not for everyone.";
        case 404:
            return "There is nothing at this address.";
        case 405:
            return "Only GET and HEAD are answered here.";
        case 408:
            return "The request took too long to arrive.";
        case 412:
            return "The file is not the one that the request was made for.";
        case 413:
            return "Requests with a body are not taken.";
        case 414:
            return "The address is too long.";
        case 416:
            return "The file has no such part.";
        case 429:
            return "There are too many connections from your address.";
        case 431:
            return "The request's header is too large.";
        case 503:
            return "The server is busy. Try again in a moment.";
        default:
            return "The server cannot answer this request.";
    }
}

// Runs `write` twice: to learn the size, then to fill a string of it.
template <class Write>
std::string written(Write write) {
    text_writer measure({});
    write(measure);
    std::string text(measure.wanted(), '\0');
    text_writer out(text);
    write(out);
    return text;
}

void put_error_page(text_writer& out, int status) {
    out.put(page_begin).put(status).put(' ').put(reason_phrase(status)).put("</title><h1>");
    out.put(status).put(' ').put(reason_phrase(status)).put("</h1><p>").put(advice(status));
    out.put("</p>").put(page_end);
}

void put_size(text_writer& out, std::uint64_t bytes) {
    constexpr std::string_view units = "KMGTPE";
    if (bytes < 1024) {
        out.put(bytes).put(" B");
        return;
    }
    std::size_t unit = 0;
    while (bytes >= (std::uint64_t{1} << 20) && unit + 1 < units.size()) {
        bytes /= 1024;
        ++unit;
    }
    out.put(bytes / 1024).put('.').put(bytes % 1024 * 10 / 1024).put(' ').put(units[unit]);
    out.put("iB");
}

void put_entry(text_writer& out, const listing_entry& entry) {
    const std::string_view slash = entry.directory ? "/" : "";
    // "./" keeps a name with a colon from being read as a scheme.
    out.put("<tr><td><a href=\"./");
    put_url_path(out, entry.name);
    out.put(slash).put("\">");
    put_html(out, entry.name);
    const calendar_time time = calendar_from_unix(entry.modified);
    out.put(slash).put("</a><td>").put(time.year).put('-').put_two(time.month).put('-');
    out.put_two(time.day).put(' ').put_two(time.hour).put(':').put_two(time.minute).put("<td>");
    if (!entry.directory) put_size(out, entry.bytes);
    out.put('\n');
}

void put_listing(text_writer& out, std::string_view path, std::span<const listing_entry> entries) {
    const bool root = path == ".";
    auto put_title = [&] {
        out.put('/');
        if (root) return;
        put_html(out, path);
        out.put('/');
    };
    out.put(page_begin);
    put_title();
    out.put("</title><h1>");
    put_title();
    out.put("</h1><table>\n");
    if (!root) out.put("<tr><td><a href=\"../\">../</a><td><td>\n");
    for (const listing_entry& entry : entries) put_entry(out, entry);
    out.put("</table>");
    if (entries.empty()) out.put("<p>This directory is empty.</p>");
    out.put(page_end);
}

}  // namespace

error_pages::error_pages() {
    for (int status = 400; status < 600; ++status)
        if (reason_phrase(status) != "Unknown")
            pages_[status] = written([&](text_writer& out) { put_error_page(out, status); });
}

std::string_view error_pages::html(int status) const {
    const auto found = pages_.find(status);
    return found != pages_.end() ? found->second : pages_.at(500);
}

void put_error_head(text_writer& out, const connection_state& connection, int status,
                    std::uint64_t html_bytes, std::string_view lines) {
    response_head head(out, status, connection);
    if (status == 405) head.lines("Allow: GET, HEAD\r\n");
    head.lines(lines).lines(html_line).content_length(html_bytes).end();
}

void put_listing_head(text_writer& out, const connection_state& connection,
                      std::uint64_t html_bytes) {
    response_head head(out, 200, connection);
    head.lines(html_line).lines(listing_lines).content_length(html_bytes).end();
}

void put_listing_kept(text_writer& out, const connection_state& connection) {
    response_head(out, 304, connection).end();
}

void put_directory_redirect(text_writer& out, const connection_state& connection,
                            std::string_view path, std::string_view query) {
    response_head head(out, 301, connection);
    out.put("Location: /");
    put_url_path(out, path);
    out.put('/');
    if (!query.empty()) out.put('?').put(query);
    out.put("\r\n");
    head.content_length(0).end();
}

std::string make_listing(std::string_view path, std::span<listing_entry> entries) {
    std::ranges::sort(entries, {}, [](const listing_entry& entry) {
        return std::tuple(!entry.directory, std::string_view(entry.name));
    });
    return written([&](text_writer& out) { put_listing(out, path, entries); });
}

}  // namespace upcall_serve
