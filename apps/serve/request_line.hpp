// The first line of a request (RFC 9112, section 3), in its exact form only: one space between
// the parts, none elsewhere, a version. What RFC 9112 allows a lenient parser to guess is refused.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

namespace upcall_serve {

enum class method : std::uint8_t { get, head };

// Why a request is not served: the status to answer with, and words for logs and people.
// Every refusal closes the connection. `reason` is a literal.
struct refusal {
    int status = 0;
    const char* reason = "";
};

// The method is only named here: whether this server has it is for after the head's form is known.
struct request_line {
    std::string_view method;
    std::string_view target;
    std::uint8_t minor = 1;  // HTTP/1.0 or HTTP/1.1
};

// Longer than any method that is in use; a longer first word is answered at once.
inline constexpr std::size_t method_bytes_max = 32;

// Judges as much of a first line as has arrived: bytes that cannot begin a request (a TLS hello,
// say) are refused without waiting for a line end. Status 0 means that nothing is wrong so far.
refusal check_beginning(std::string_view partial);

// `line` is without its CRLF. 400 for bad form, 505 for another major version, 501 for a method
// that nobody here knows. The views point into `line`.
std::expected<request_line, refusal> parse_request_line(std::string_view line);

// GET and HEAD; 405 for the other methods of RFC 9110 and RFC 5789, 501 for the rest.
std::expected<method, refusal> served_method(std::string_view name);

// The path and query of a target in origin-form or in absolute-form of scheme http, the only
// forms that GET and HEAD take. 400 for the others. An absolute-form target without a path
// yields "/"; its query, which selects nothing here, is dropped. `authority` receives that of
// the absolute form, which replaces the Host field.
std::expected<std::string_view, refusal> origin_form(std::string_view target,
                                                     std::string_view& authority);

// A Host field or authority: a host that is not empty, perhaps a port; no user information.
bool is_host(std::string_view value);

}  // namespace upcall_serve
