// Several ranges in one response: multipart/byteranges (RFC 9110, section 14.6).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "serve/range.hpp"
#include "serve/text_writer.hpp"

namespace upcall_serve {

// Writes "bytes first-last/size", the value of Content-Range.
void put_content_range(text_writer& out, const byte_range& range, std::uint64_t file_bytes);

class multipart {
  public:
    // `content_type` is the file's, and outlives this. `nonce` makes the boundary: parts are
    // told apart by it, so it is to be random, for the file not to hold it.
    multipart(std::string_view content_type, std::uint64_t file_bytes,
              std::array<std::uint64_t, 2> nonce);

    // Writes the value of the response's Content-Type.
    void put_content_type(text_writer& out) const;

    // Writes what goes before the bytes of one range, and what goes behind the last of them.
    void put_part_head(text_writer& out, const byte_range& range) const;
    void put_end(text_writer& out) const;

    // The length of the whole body.
    std::uint64_t body_bytes(std::span<const byte_range> ranges) const;

  private:
    std::string_view boundary() const { return {boundary_.data(), boundary_.size()}; }

    std::string_view content_type_;
    std::uint64_t file_bytes_;
    std::array<char, 32> boundary_;
};

}  // namespace upcall_serve
