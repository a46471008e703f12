#include "serve/multipart.hpp"

namespace upcall_serve {

void put_content_range(text_writer& out, const byte_range& range, std::uint64_t file_bytes) {
    out.put("bytes ").put(range.first).put('-').put(range.last).put('/').put(file_bytes);
}

multipart::multipart(std::string_view content_type, std::uint64_t file_bytes,
                     std::array<std::uint64_t, 2> nonce)
    : content_type_(content_type), file_bytes_(file_bytes) {
    for (std::size_t i = 0; i < boundary_.size(); ++i)
        boundary_[i] = "0123456789abcdef"[nonce[i / 16] >> i % 16 * 4 & 15];
}

void multipart::put_content_type(text_writer& out) const {
    out.put("multipart/byteranges; boundary=").put(boundary());
}

void multipart::put_part_head(text_writer& out, const byte_range& range) const {
    out.put("\r\n--").put(boundary());
    out.put("\r\nContent-Type: ").put(content_type_).put("\r\nContent-Range: ");
    put_content_range(out, range, file_bytes_);
    out.put("\r\n\r\n");
}

void multipart::put_end(text_writer& out) const { out.put("\r\n--").put(boundary()).put("--\r\n"); }

std::uint64_t multipart::body_bytes(std::span<const byte_range> ranges) const {
    text_writer frame({});
    std::uint64_t content = 0;
    for (const byte_range& range : ranges) {
        put_part_head(frame, range);
        content += range.bytes();
    }
    put_end(frame);
    return frame.wanted() + content;
}

}  // namespace upcall_serve
