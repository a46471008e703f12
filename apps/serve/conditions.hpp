// Conditional requests (RFC 9110, section 13): is the client's copy still good, and may a range
// be joined to what it has.
#pragma once

#include <cstdint>
#include <string_view>

#include "serve/request.hpp"

namespace upcall_serve {

// What a file's representation is compared by.
struct validators {
    std::string_view etag;      // strong, quoted
    std::int64_t modified = 0;  // seconds; never later than `now` (RFC 9110, section 8.8.2.1)
};

enum class precondition : std::uint8_t {
    met,           // go on: 200, or 206 if there is a range
    not_modified,  // 304
    failed,        // 412
};

// Steps 1 to 4 of section 13.2.2, in that order. A date that cannot be read or that is repeated
// is as good as absent. A tag list that cannot be read matches nothing.
precondition check_preconditions(const request& from, const validators& current, std::int64_t now);

// The same of what has no validators, like the list of a directory: `*` alone matches it, and dates
// say nothing (sections 13.1.1 to 13.1.4).
precondition check_preconditions(const request& from);

// Step 5: the Range field, where there is one, may be honoured. False sends the whole.
bool range_is_wanted(const request& from, const validators& current, std::int64_t now);

}  // namespace upcall_serve
