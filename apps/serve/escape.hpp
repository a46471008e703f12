// Text that others chose, made harmless for where it goes.
#pragma once

#include <cstddef>
#include <string_view>

#include "serve/text_writer.hpp"

namespace upcall_serve {

// Between tags and in double-quoted attributes. Bytes that are not UTF-8 become U+FFFD.
void put_html(text_writer& out, std::string_view text);

// A path in a URL: everything but slashes and unreserved characters is percent-encoded, so that
// no part can be read as a query, a scheme or markup.
void put_url_path(text_writer& out, std::string_view path);

// The inside of a JSON string, in ASCII. Bytes that are not UTF-8 become \ufffd.
void put_json(text_writer& out, std::string_view text);

// The inside of a quoted field of a log line: quotes, backslashes and all that is not printable
// ASCII become \xhh, so that a line stays one line and a terminal stays as it was.
void put_log(text_writer& out, std::string_view text);

}  // namespace upcall_serve
