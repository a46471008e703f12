// The statuses that this server sends.
#pragma once

#include <string_view>

namespace upcall_serve {

// The reason phrase of RFC 9110, RFC 6585; "Unknown" for a status that this server never sends.
std::string_view reason_phrase(int status);

// The first line of a response, CRLF included.
std::string_view status_line(int status);

}  // namespace upcall_serve
