#include "serve/file_response.hpp"

#include <cassert>

namespace upcall_serve {

file_response answer_with_file(const request& from, const file_entity& file, std::int64_t now) {
    switch (check_preconditions(from, file.current(), now)) {
        case precondition::failed:
            return {.status = 412};
        case precondition::not_modified:
            return {.status = 304};
        case precondition::met:
            break;
    }
    if (!range_is_wanted(from, file.current(), now)) return {};
    const range_set ranges = parse_range(from.single(field::range), file.bytes());
    switch (ranges.outcome()) {
        case range_outcome::partial:
            return {.status = 206, .ranges = ranges};
        case range_outcome::unsatisfiable:
            return {.status = 416};
        case range_outcome::whole:
            break;
    }
    return {};
}

std::uint64_t body_bytes(const file_response& response, const file_entity& file,
                         const multipart* parts) {
    if (response.status == 304) return 0;
    if (response.status == 200) return file.bytes();
    return response.is_multipart() ? parts->body_bytes(response.ranges.ranges())
                                   : response.ranges.ranges()[0].bytes();
}

void put_file_head(text_writer& out, const connection_state& connection,
                   const file_response& response, const file_entity& file, const multipart* parts) {
    assert(response.status == 200 || response.status == 206 || response.status == 304);
    assert(response.is_multipart() == (parts != nullptr));
    response_head head(out, response.status, connection);
    head.lines(file.validator_lines());
    // A 304 has no Content-Length: it would have to be that of the 200 (RFC 9110, section 8.6).
    if (response.status == 304) return head.end();

    head.lines("Content-Type: ");
    if (parts != nullptr)
        parts->put_content_type(out);
    else
        out.put(file.content_type());
    head.lines("\r\n").lines(file.content_lines());
    if (response.status == 206 && parts == nullptr) {
        head.lines("Content-Range: ");
        put_content_range(out, response.ranges.ranges()[0], file.bytes());
        head.lines("\r\n");
    }
    head.content_length(body_bytes(response, file, parts)).end();
}

}  // namespace upcall_serve
