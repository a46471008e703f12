// One line per response, for people (Common Log Format) or for programs (JSON).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "serve/text_writer.hpp"

namespace upcall_serve {

enum class access_log_format : std::uint8_t { common, json };

struct access_entry {
    std::string_view client{};        // its address, without the port
    std::int64_t time_ms = 0;         // since 1970: when the response began
    std::int64_t duration_us = 0;     // from the request's last byte to the response's
    std::string_view request_line{};  // as received, even if it is not one
    std::string_view host{};
    std::string_view referer{};
    std::string_view user_agent{};
    int status = 0;
    std::uint64_t body_bytes = 0;  // sent, the head not counted
};

// No line is longer, its end included: texts that would make it so are cut, and say so by "...".
inline constexpr std::size_t access_line_bytes_max = 32'768;

// Writes a line with its end. Whatever the texts hold, it stays one line and its fields stay
// apart: bytes that are not printable ASCII are escaped.
void put_access_line(text_writer& out, access_log_format format, const access_entry& entry);

}  // namespace upcall_serve
