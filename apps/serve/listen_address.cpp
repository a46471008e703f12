#include "serve/listen_address.hpp"

#include <arpa/inet.h>
#include <sys/un.h>

#include <array>

#include "serve/quantity.hpp"

namespace upcall_serve {

namespace {

using parsed_address = std::expected<listen_address, std::string>;

bool is_numeric(int family, const std::string& host) {
    std::array<unsigned char, 16> address;
    return inet_pton(family, host.c_str(), address.data()) == 1;
}

parsed_address with_port(listen_address address, std::string_view port) {
    if (port.empty()) return address;
    const auto number = parse_count(port.substr(1), 0, 65'535);
    if (!number) return std::unexpected("port " + number.error());
    address.port = static_cast<std::uint16_t>(*number);
    return address;
}

parsed_address parse_unix(std::string_view path) {
    constexpr std::size_t path_max = sizeof(sockaddr_un::sun_path) - 1;
    if (path.empty()) return std::unexpected("unix: needs a path, such as unix:/run/site.sock");
    if (path.size() > path_max)
        return std::unexpected("a Unix socket's path has at most " + std::to_string(path_max) +
                               " bytes, this one has " + std::to_string(path.size()));
    return listen_address{address_family::unix_path, std::string(path), 0};
}

parsed_address parse_ipv6(std::string_view text) {
    const std::size_t close = text.find(']');
    const std::string host(text.substr(1, close == std::string_view::npos ? close : close - 1));
    const std::string_view port =
        close == std::string_view::npos ? std::string_view{} : text.substr(close + 1);
    if (close == std::string_view::npos || !is_numeric(AF_INET6, host) ||
        (!port.empty() && port[0] != ':'))
        return std::unexpected("'" + std::string(text) + "' is not like [::1]:8080");
    return with_port({address_family::ipv6, host, 8080}, port);
}

}  // namespace

parsed_address parse_listen_address(std::string_view text) {
    constexpr std::string_view unix_prefix = "unix:";
    if (text.starts_with(unix_prefix)) return parse_unix(text.substr(unix_prefix.size()));
    if (text.starts_with('[')) return parse_ipv6(text);
    if (!text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos)
        return with_port({}, ":" + std::string(text));

    const std::size_t colon = text.find(':');
    std::string host(text.substr(0, colon));
    if (host == "localhost") host = "127.0.0.1";
    if (host == "*") host = "0.0.0.0";
    if (!is_numeric(AF_INET, host)) {
        if (is_numeric(AF_INET6, std::string(text)))
            return std::unexpected("'" + std::string(text) + "' needs brackets: [" +
                                   std::string(text) + "]:8080");
        return std::unexpected("'" + std::string(text) +
                               "' is not an address; use one like 127.0.0.1:8080, [::1]:8080, "
                               "*:8080 or unix:/run/site.sock (names are not looked up)");
    }
    return with_port({address_family::ipv4, host, 8080},
                     colon == std::string_view::npos ? std::string_view{} : text.substr(colon));
}

std::string to_string(const listen_address& address) {
    switch (address.family) {
        case address_family::unix_path:
            return "unix:" + address.host;
        case address_family::ipv6:
            return "http://[" + address.host + "]:" + std::to_string(address.port) + "/";
        case address_family::ipv4:
            break;
    }
    return "http://" + address.host + ":" + std::to_string(address.port) + "/";
}

}  // namespace upcall_serve
