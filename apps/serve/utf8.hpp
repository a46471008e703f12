// UTF-8 in its one valid form (RFC 3629, section 4).
#pragma once

#include <cstddef>
#include <string_view>

namespace upcall_serve {

// The length in bytes of the character that `text` begins with: 1 to 4, or 0 where `text` does
// not begin with a well-formed one (overlong, surrogate, above U+10FFFF, cut short, empty).
std::size_t utf8_length(std::string_view text);

bool is_utf8(std::string_view text);

}  // namespace upcall_serve
