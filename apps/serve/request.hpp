// A request whose head is complete and well-formed, as views into the bytes it arrived in.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "serve/chars.hpp"
#include "serve/field.hpp"
#include "serve/request_line.hpp"

namespace upcall_serve {

class request {
  public:
    upcall_serve::method method() const { return method_; }
    bool is_head() const { return method_ == upcall_serve::method::head; }

    // Path and query, beginning with a slash, still percent-encoded. Visible ASCII only.
    std::string_view target() const { return target_; }

    // Who was asked: the target's authority, else the Host field. Empty only for HTTP/1.0.
    std::string_view host() const { return host_; }

    // 0 or 1: the peer speaks HTTP/1.0, or HTTP/1.1 or later.
    unsigned minor_version() const { return minor_; }

    // The peer means to send another request (RFC 9112, section 9.3).
    bool keep_alive() const { return keep_alive_; }

    // The field is there, however often.
    bool has(field name) const { return (present_ & bit(name)) != 0; }

    // The value of a field that may stand once only; empty when absent or repeated, as a
    // repeated one has no meaning.
    std::string_view single(field name) const {
        return (repeated_ & bit(name)) != 0 ? std::string_view{} : first(name);
    }

    // Calls `visit` with each line's value of a list field, in order.
    template <class Visit>
    void for_each(field name, Visit&& visit) const {
        if ((repeated_ & bit(name)) != 0)
            for_each_line(name, visit);
        else if (has(name))
            visit(first(name));
    }

    // The request line without its end, and everything from it to the empty line.
    std::string_view line() const { return head_.substr(0, line_bytes_); }
    std::string_view head() const { return head_; }

  private:
    friend class request_parser;

    struct extent {
        std::uint32_t offset = 0;
        std::uint32_t bytes = 0;
    };

    static constexpr std::uint32_t bit(field name) {
        return std::uint32_t{1} << static_cast<unsigned>(name);
    }
    std::string_view first(field name) const {
        if (!has(name)) return {};
        const extent at = fields_[static_cast<std::size_t>(name)];
        return head_.substr(at.offset, at.bytes);
    }
    // Walks the head again: repeated list fields are rare, so their places are not kept.
    template <class Visit>
    void for_each_line(field name, Visit& visit) const {
        std::size_t at = line_bytes_ + 2;
        while (at < head_.size()) {
            const std::size_t end = head_.find('\r', at);
            const std::string_view line = head_.substr(at, end - at);
            const std::size_t colon = line.find(':');
            if (colon != std::string_view::npos && field_named(line.substr(0, colon)) == name)
                visit(trim_blanks(line.substr(colon + 1)));
            at = end + 2;
        }
    }

    std::string_view head_;
    std::string_view target_;
    std::string_view host_;
    std::array<extent, known_fields> fields_;  // meaningful where present_ says so
    std::uint32_t present_ = 0;
    std::uint32_t repeated_ = 0;
    std::uint32_t line_bytes_ = 0;
    upcall_serve::method method_ = upcall_serve::method::get;
    std::uint8_t minor_ = 1;
    bool keep_alive_ = false;
};

}  // namespace upcall_serve
