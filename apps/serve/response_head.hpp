// Writes the head of a response.
//
//     text_writer out(buffer);
//     response_head(out, 200, connection).lines(entity.content_fields()).content_length(n).end();
//
// Nothing is checked or escaped here: what is given must be fit for a header.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "serve/status.hpp"
#include "serve/text_writer.hpp"

namespace upcall_serve {

// The lines that every response of every server has: browsers are not to guess types.
inline constexpr std::string_view common_lines = "X-Content-Type-Options: nosniff\r\n";

// With them, who the server is. Made once.
std::string make_server_lines(std::string_view version, std::string_view driver);

// What a response says on behalf of its connection.
struct connection_state {
    std::string_view server_lines;
    std::string_view date;       // as HTTP writes it
    unsigned minor_version = 1;  // of the request
    bool keep_alive = true;      // another request may follow
};

class response_head {
  public:
    response_head(text_writer& out, int status, const connection_state& connection) : out_(out) {
        out_.put(status_line(status)).put(connection.server_lines);
        field("Date", connection.date);
        if (!connection.keep_alive)
            lines("Connection: close\r\n");
        else if (connection.minor_version == 0)  // which would close without being told
            lines("Connection: keep-alive\r\n");
    }

    // Whole lines, each with its end.
    response_head& lines(std::string_view text) {
        out_.put(text);
        return *this;
    }
    response_head& field(std::string_view name, std::string_view value) {
        out_.put(name).put(": ").put(value).put("\r\n");
        return *this;
    }
    response_head& content_length(std::uint64_t bytes) {
        out_.put("Content-Length: ").put(bytes).put("\r\n");
        return *this;
    }
    void end() { out_.put("\r\n"); }

  private:
    text_writer& out_;
};

}  // namespace upcall_serve
