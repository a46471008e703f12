// The answer to a request for a file that exists: which status, which bytes of it, which head.
#pragma once

#include <cstdint>

#include "serve/file_entity.hpp"
#include "serve/multipart.hpp"
#include "serve/range.hpp"
#include "serve/request.hpp"
#include "serve/response_head.hpp"

namespace upcall_serve {

struct file_response {
    // 200 sends the file, 206 its `ranges`, 304 nothing; 412 and 416 are for an error page.
    int status = 200;
    range_set ranges{};

    // 206 with several ranges, which go out as the parts of a `multipart`.
    bool is_multipart() const { return ranges.ranges().size() > 1; }
};

// Weighs conditions, then ranges (RFC 9110, section 13.2.2).
file_response answer_with_file(const request& from, const file_entity& file, std::int64_t now);

// The length of the body that GET gets: `parts` is there for a multipart response only.
std::uint64_t body_bytes(const file_response& response, const file_entity& file,
                         const multipart* parts);

// Writes the head of a 200, 206 or 304, for GET and HEAD alike.
void put_file_head(text_writer& out, const connection_state& connection,
                   const file_response& response, const file_entity& file, const multipart* parts);

}  // namespace upcall_serve
