// How much of a request the parser takes before it refuses.
#pragma once

#include <cstddef>

namespace upcall_serve {

struct parse_limits {
    std::size_t head_bytes = 16'384;  // request line, fields and the empty line, ends included
    std::size_t line_bytes = 8'192;   // one line, its CRLF included
    std::size_t fields = 100;
};

}  // namespace upcall_serve
