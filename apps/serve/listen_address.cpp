#include "serve/listen_address.hpp"

#include <algorithm>
#include <charconv>

#include "serve/chars.hpp"

namespace upcall_serve {

namespace {

// Writes out what the short forms leave to be understood.
std::string in_full(std::string_view text) {
    const std::string port = ":" + std::to_string(default_port);
    if (!text.empty() && std::ranges::all_of(text, is_digit))
        return "127.0.0.1:" + std::string(text);
    if (text.starts_with('[')) return std::string(text) + (text.ends_with(']') ? port : "");
    if (text.starts_with("unix:")) return std::string(text);
    const std::size_t colon = std::min(text.find(':'), text.size());
    std::string full(text.substr(0, colon));
    if (full == "localhost") full = "127.0.0.1";
    if (full == "*") full = "0.0.0.0";
    return full + (colon == text.size() ? port : std::string(text.substr(colon)));
}

// Whether what is written where a port goes is a number, and none of a port.
bool is_port_too_large(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    const std::string_view port = colon == text.npos ? text : text.substr(colon + 1);
    unsigned value = 0;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), value);
    if (end != port.data() + port.size() || error == std::errc::invalid_argument) return false;
    return error == std::errc::result_out_of_range || value > 65'535;
}

}  // namespace

std::expected<upcall::address, std::string> parse_listen_address(std::string_view text) {
    const auto address = upcall::address::parse(in_full(text));
    if (address) return *address;
    if (address.error() == std::errc::filename_too_long)
        return std::unexpected("'" + std::string(text) + "' is longer than the " +
                               std::to_string(upcall::address::unix_path_max) +
                               " bytes that a Unix socket's path may have");
    if (std::ranges::count(text, ':') > 1 && !text.starts_with('['))
        return std::unexpected("'" + std::string(text) +
                               "' is not an address; IPv6 is written "
                               "in brackets, like [::1]:8080");
    if (is_port_too_large(text))
        return std::unexpected("'" + std::string(text) + "' has a port beyond 65535");
    return std::unexpected("'" + std::string(text) +
                           "' is not an address; use one like "
                           "127.0.0.1:8080, [::1]:8080, *:8080 or unix:/run/site.sock (names "
                           "besides localhost are not looked up)");
}

std::string url_of(const upcall::address& address) {
    if (address.family() == upcall::address_family::unix_path) return address.to_string();
    return "http://" + address.to_string() + "/";
}

}  // namespace upcall_serve
