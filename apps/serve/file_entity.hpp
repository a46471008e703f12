// What responses say about a file: worked out once when it is opened, kept while it is cached.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "serve/conditions.hpp"
#include "serve/content_coding.hpp"
#include "serve/etag.hpp"

namespace upcall_serve {

class file_entity {
  public:
    struct facts {
        std::uint64_t bytes = 0;
        std::int64_t modified_ns = 0;  // since 1970
        std::uint64_t inode = 0;
        // The name that was asked for, which a precompressed sibling stands in for.
        std::string_view path{};
        content_coding coding = content_coding::identity;
        // There are siblings, whether or not this is one: the answer depends on the request.
        bool negotiated = false;
    };

    // `now` in seconds: a file from the future is said to be of now.
    file_entity(const facts& from, std::int64_t now);

    std::uint64_t bytes() const { return bytes_; }
    std::string_view content_type() const { return content_type_; }
    validators current() const { return {etag_.text(), modified_}; }

    // Lines of a head, in two parts, as 304 has only the first: ETag, Last-Modified and Vary;
    // and Content-Encoding, Accept-Ranges. Content-Type is not in them.
    std::string_view validator_lines() const { return {lines_.data(), validator_bytes_}; }
    std::string_view content_lines() const {
        return std::string_view(lines_.data(), lines_bytes_).substr(validator_bytes_);
    }

  private:
    std::uint64_t bytes_;
    std::int64_t modified_;
    etag etag_;
    std::string_view content_type_;
    std::array<char, 176> lines_;
    std::uint8_t validator_bytes_;
    std::uint8_t lines_bytes_;
};

}  // namespace upcall_serve
