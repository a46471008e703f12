#include "serve/request_line.hpp"

#include <algorithm>

#include "serve/chars.hpp"

namespace upcall_serve {

namespace {

constexpr refusal bad_line{400, "malformed request line"};

std::expected<std::uint8_t, refusal> parse_version(std::string_view version) {
    if (version.size() != 8 || !version.starts_with("HTTP/") || !is_digit(version[5]) ||
        version[6] != '.' || !is_digit(version[7]))
        return std::unexpected(bad_line);
    if (version[5] != '1') return std::unexpected(refusal{505, "not HTTP/1"});
    // A later minor version is as good as the latest that is known (RFC 9110, section 2.5).
    return static_cast<std::uint8_t>(version[7] == '0' ? 0 : 1);
}

bool is_port(std::string_view text) {
    return text.empty() || (text[0] == ':' && std::ranges::all_of(text.substr(1), is_digit));
}

bool is_ip_literal(std::string_view value) {
    const std::size_t end = value.find(']');
    if (end == std::string_view::npos || end < 3) return false;
    auto inside = [](char c) { return is_hex(c) || c == ':' || c == '.'; };
    return std::ranges::all_of(value.substr(1, end - 1), inside) && is_port(value.substr(end + 1));
}

}  // namespace

refusal check_beginning(std::string_view partial) {
    const std::size_t known = std::min(partial.size(), method_bytes_max + 1);
    for (std::size_t i = 0; i < known; ++i) {
        if (partial[i] == ' ' && i > 0) return {};
        if (!is_token_char(partial[i])) return {400, "not an HTTP/1 request"};
    }
    if (known > method_bytes_max) return {501, "unknown method"};
    return {};
}

std::expected<request_line, refusal> parse_request_line(std::string_view line) {
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) return std::unexpected(bad_line);
    request_line parts{line.substr(0, first), line.substr(first + 1, last - first - 1)};
    if (parts.method.empty() || parts.target.empty() ||
        !std::ranges::all_of(parts.method, is_token_char) ||
        !std::ranges::all_of(parts.target, is_target_char))
        return std::unexpected(bad_line);
    auto minor = parse_version(line.substr(last + 1));
    if (!minor) return std::unexpected(minor.error());
    parts.minor = *minor;
    return parts;
}

std::expected<method, refusal> served_method(std::string_view name) {
    if (name == "GET") return method::get;
    if (name == "HEAD") return method::head;
    for (std::string_view known : {"POST", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT"})
        if (name == known) return std::unexpected(refusal{405, "only GET and HEAD are served"});
    return std::unexpected(refusal{501, "unknown method"});
}

std::expected<std::string_view, refusal> origin_form(std::string_view target,
                                                     std::string_view& authority) {
    if (target.starts_with('/')) return target;
    constexpr std::string_view scheme = "http://";
    if (!equals_lower(target.substr(0, scheme.size()), scheme))
        return std::unexpected(refusal{400, "request target is neither a path nor an http URI"});
    const std::string_view rest = target.substr(scheme.size());
    const std::size_t end = rest.find_first_of("/?");
    authority = rest.substr(0, end);
    if (!is_host(authority))
        return std::unexpected(refusal{400, "invalid authority in request target"});
    // An empty path is the root's (RFC 9110, section 4.2.3); a query may follow it all the same.
    if (end == std::string_view::npos) return std::string_view{"/"};
    return rest.substr(end);
}

bool is_host(std::string_view value) {
    if (value.starts_with('[')) return is_ip_literal(value);
    const std::size_t colon = std::min(value.find(':'), value.size());
    const std::string_view name = value.substr(0, colon);
    if (name.empty() || !is_port(value.substr(colon))) return false;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (name[i] == '%') {
            if (i + 2 >= name.size() || !is_hex(name[i + 1]) || !is_hex(name[i + 2])) return false;
            i += 2;
        } else if (!is_host_char(name[i]) || name[i] == '[' || name[i] == ']') {
            return false;
        }
    }
    return true;
}

}  // namespace upcall_serve
