// The header fields that a static server acts on. All others are checked for form and passed by.
#pragma once

#include <cstdint>
#include <string_view>

namespace upcall_serve {

enum class field : std::uint8_t {
    host,
    connection,
    content_length,
    transfer_encoding,
    expect,
    range,
    if_range,
    if_match,
    if_none_match,
    if_modified_since,
    if_unmodified_since,
    accept_encoding,
    referer,
    user_agent,
    other,  // keep last: the number of known fields
};

inline constexpr std::size_t known_fields = static_cast<std::size_t>(field::other);

// The field of this name, in any case; `name` must consist of token characters.
field field_named(std::string_view name);

}  // namespace upcall_serve
