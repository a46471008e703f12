#include "serve/file_entity.hpp"

#include <algorithm>
#include <cassert>

#include "serve/http_date.hpp"
#include "serve/mime.hpp"
#include "serve/text_writer.hpp"

namespace upcall_serve {

namespace {

// Rounds down, so that a file is never said to be newer than it is.
std::int64_t whole_seconds(std::int64_t ns) {
    constexpr std::int64_t second = 1'000'000'000;
    return ns / second - (ns % second < 0 ? 1 : 0);
}

}  // namespace

file_entity::file_entity(const facts& from, std::int64_t now)
    : bytes_(from.bytes),
      modified_(std::min(whole_seconds(from.modified_ns), now)),
      etag_(etag::of_file(from.modified_ns, from.bytes, from.inode)),
      content_type_(content_type_of(from.path)) {
    const http_date_text modified = format_http_date(modified_);
    text_writer out(lines_);
    out.put("ETag: ").put(etag_.text());
    out.put("\r\nLast-Modified: ").put({modified.data(), modified.size()}).put("\r\n");
    if (from.negotiated) out.put("Vary: Accept-Encoding\r\n");
    validator_bytes_ = static_cast<std::uint8_t>(out.wanted());
    out.put("Accept-Ranges: bytes\r\n");
    if (from.coding != content_coding::identity)
        out.put("Content-Encoding: ").put(coding_name(from.coding)).put("\r\n");
    assert(out.fits());
    lines_bytes_ = static_cast<std::uint8_t>(out.wanted());
}

}  // namespace upcall_serve
