#include <upcall/driver/address.hpp>

#include <algorithm>
#include <charconv>
#include <optional>

namespace upcall {
namespace {

constexpr std::string_view unix_prefix = "unix:";

std::unexpected<std::error_code> invalid() noexcept {
    return failure(std::make_error_code(std::errc::invalid_argument));
}

template <class Number>
std::optional<Number> parse_number(std::string_view text, int base = 10) noexcept {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<std::array<std::uint8_t, 4>> parse_dotted(std::string_view text) noexcept {
    std::array<std::uint8_t, 4> octets{};
    for (std::size_t at = 0; at < octets.size(); ++at) {
        const bool last = at + 1 == octets.size();
        const auto end = last ? text.size() : text.find('.');
        if (end == text.npos) return std::nullopt;
        const auto part = text.substr(0, end);
        // "010" is 8 to some programs and 10 to others: refused.
        if (part.size() > 1 && part.front() == '0') return std::nullopt;
        const auto octet = parse_number<std::uint8_t>(part);
        if (!octet) return std::nullopt;
        octets[at] = *octet;
        if (!last) text.remove_prefix(end + 1);
    }
    return octets;
}

/// Reads groups "1:2:3" (the last may be dotted) into `groups`; returns how many, or nothing.
std::optional<std::size_t> parse_groups(std::string_view text,
                                        std::array<std::uint16_t, 8>& groups) noexcept {
    std::size_t count = 0;
    while (!text.empty()) {
        const auto colon = text.find(':');
        const auto part = text.substr(0, colon);
        if (part.find('.') != part.npos) {
            const auto octets = parse_dotted(part);
            if (!octets || colon != text.npos || count > 6) return std::nullopt;
            groups[count++] = static_cast<std::uint16_t>((*octets)[0] << 8 | (*octets)[1]);
            groups[count++] = static_cast<std::uint16_t>((*octets)[2] << 8 | (*octets)[3]);
            return count;
        }
        const auto group = parse_number<std::uint16_t>(part, 16);
        if (!group || part.size() > 4 || count == groups.size()) return std::nullopt;
        groups[count++] = *group;
        if (colon == text.npos) return count;
        text.remove_prefix(colon + 1);
        if (text.empty()) return std::nullopt;  // ends in a single colon
    }
    return count;
}

std::optional<std::array<std::uint8_t, 16>> parse_ipv6(std::string_view text) noexcept {
    std::array<std::uint16_t, 8> groups{};
    const auto gap = text.find("::");
    if (gap == text.npos) {
        if (parse_groups(text, groups) != groups.size()) return std::nullopt;
    } else {
        if (text.find("::", gap + 1) != text.npos) return std::nullopt;
        std::array<std::uint16_t, 8> tail{};
        const auto head = text.substr(0, gap);
        const auto before = parse_groups(head, groups);
        const auto after = parse_groups(text.substr(gap + 2), tail);
        if (head.find('.') != head.npos || !before || !after || *before + *after > 7)
            return std::nullopt;
        std::copy_n(tail.begin(), *after, groups.end() - static_cast<std::ptrdiff_t>(*after));
    }
    std::array<std::uint8_t, 16> octets{};
    for (std::size_t at = 0; at < groups.size(); ++at) {
        octets[2 * at] = static_cast<std::uint8_t>(groups[at] >> 8);
        octets[2 * at + 1] = static_cast<std::uint8_t>(groups[at]);
    }
    return octets;
}

std::string dotted(const std::uint8_t* octets) {
    std::string text;
    for (int at = 0; at < 4; ++at) {
        if (at) text += '.';
        text += std::to_string(octets[at]);
    }
    return text;
}

/// The form of RFC 5952: lower case, the longest run of at least two zero groups left out.
std::string ipv6_text(const std::array<std::uint8_t, 16>& octets) {
    static constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (std::equal(mapped.begin(), mapped.end(), octets.begin()))
        return "::ffff:" + dotted(octets.data() + 12);
    auto group = [&](std::size_t at) { return octets[2 * at] << 8 | octets[2 * at + 1]; };
    std::size_t gap = 8;
    std::size_t gap_size = 1;
    for (std::size_t at = 0; at < 8; ++at) {
        std::size_t end = at;
        while (end < 8 && group(end) == 0) ++end;
        if (end - at > gap_size) {
            gap = at;
            gap_size = end - at;
        }
    }
    std::string text;
    for (std::size_t at = 0; at < 8; ++at) {
        if (at == gap) {
            text += "::";
            at += gap_size - 1;
            continue;
        }
        if (!text.empty() && text.back() != ':') text += ':';
        std::array<char, 4> digits{};
        const auto end =
            std::to_chars(digits.data(), digits.data() + digits.size(), group(at), 16).ptr;
        text.append(digits.data(), end);
    }
    return text;
}

}  // namespace

address address::ipv4(std::array<std::uint8_t, 4> octets, std::uint16_t port) noexcept {
    address made;
    made.family_ = address_family::ipv4;
    made.port_ = port;
    std::copy(octets.begin(), octets.end(), made.octets_.begin());
    return made;
}

address address::ipv6(const std::array<std::uint8_t, 16>& octets, std::uint16_t port,
                      std::uint32_t scope) noexcept {
    address made;
    made.family_ = address_family::ipv6;
    made.port_ = port;
    made.scope_ = scope;
    made.octets_ = octets;
    return made;
}

result<address> address::unix_path(std::string_view path) {
    if (path.empty() || path == "@") return invalid();
    const bool abstract = path.starts_with('@');
    // The '@' stands where the kernel has a zero byte, and an abstract name needs no terminator.
    if (path.size() > unix_path_max + (abstract ? 1 : 0))
        return failure(std::make_error_code(std::errc::filename_too_long));
    if (!abstract && path.find('\0') != path.npos) return invalid();
    address made;
    made.family_ = address_family::unix_path;
    made.path_size_ = static_cast<std::uint8_t>(path.size());
    std::copy(path.begin(), path.end(), made.path_.begin());
    return made;
}

address address::unnamed_unix() noexcept {
    address made;
    made.family_ = address_family::unix_path;
    return made;
}

result<address> address::parse(std::string_view text) {
    if (text.starts_with(unix_prefix)) return unix_path(text.substr(unix_prefix.size()));
    const auto colon = text.rfind(':');
    if (colon == text.npos) return invalid();
    const auto port = parse_number<std::uint16_t>(text.substr(colon + 1));
    if (!port) return invalid();
    auto host = text.substr(0, colon);
    if (!host.starts_with('[')) {
        const auto octets = parse_dotted(host);
        if (!octets) return invalid();
        return ipv4(*octets, *port);
    }
    if (!host.ends_with(']') || host.size() < 2) return invalid();
    host = host.substr(1, host.size() - 2);
    std::uint32_t scope = 0;
    if (const auto percent = host.find('%'); percent != host.npos) {
        const auto number = parse_number<std::uint32_t>(host.substr(percent + 1));
        if (!number) return invalid();
        scope = *number;
        host = host.substr(0, percent);
    }
    const auto octets = parse_ipv6(host);
    if (!octets) return invalid();
    return ipv6(*octets, *port, scope);
}

std::string address::to_string() const {
    switch (family_) {
        case address_family::none:
            return {};
        case address_family::ipv4:
            return dotted(octets_.data()) + ':' + std::to_string(port_);
        case address_family::ipv6:
            return '[' + ipv6_text(octets_) + (scope_ ? '%' + std::to_string(scope_) : "") +
                   "]:" + std::to_string(port_);
        case address_family::unix_path:
            return std::string(unix_prefix) + std::string(path());
    }
    return {};
}

bool operator==(const address& left, const address& right) noexcept {
    return left.family_ == right.family_ && left.port_ == right.port_ &&
           left.scope_ == right.scope_ && left.octets_ == right.octets_ &&
           left.path() == right.path();
}

}  // namespace upcall
