// Character classes of HTTP (RFC 9110, section 5.6) and small comparisons on ASCII text.
// Nothing here looks at the locale.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace upcall_serve {

namespace detail {

enum char_class : std::uint8_t {
    class_token = 1,   // tchar
    class_target = 2,  // what a request target may hold: visible ASCII but '#'
    class_host = 4,    // reg-name, IP-literal and port, without '%'
    class_hex = 8,
    class_digit = 16,
};

constexpr std::array<std::uint8_t, 256> make_char_classes() {
    std::array<std::uint8_t, 256> table{};
    auto mark = [&](std::string_view set, unsigned bits) {
        for (char c : set) {
            auto& entry = table[static_cast<unsigned char>(c)];
            entry = static_cast<std::uint8_t>(entry | bits);
        }
    };
    for (unsigned c = 0x21; c < 0x7f; ++c) table[c] = class_target;
    table['#'] = 0;
    mark("0123456789", class_token | class_host | class_hex | class_digit);
    mark("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", class_token | class_host);
    mark("abcdefABCDEF", class_hex);
    mark("!#$%&'*+-.^_`|~", class_token);
    mark("-._~!$&'()*+,;=:[]", class_host);
    return table;
}

inline constexpr auto char_classes = make_char_classes();

constexpr bool is(char c, char_class bits) {
    return (char_classes[static_cast<unsigned char>(c)] & bits) != 0;
}

}  // namespace detail

constexpr bool is_token_char(char c) { return detail::is(c, detail::class_token); }
constexpr bool is_target_char(char c) { return detail::is(c, detail::class_target); }
constexpr bool is_host_char(char c) { return detail::is(c, detail::class_host); }
constexpr bool is_hex(char c) { return detail::is(c, detail::class_hex); }
constexpr bool is_digit(char c) { return detail::is(c, detail::class_digit); }

constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

// The value of a hexadecimal digit; `c` must be one.
constexpr unsigned hex_value(char c) {
    return static_cast<unsigned>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

// `text` and `lower` are equal but for the case of `text`; `lower` has no capitals.
constexpr bool equals_lower(std::string_view text, std::string_view lower) {
    if (text.size() != lower.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (to_lower(text[i]) != lower[i]) return false;
    return true;
}

constexpr std::string_view trim_blanks(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

// Takes the next element off a comma-separated list and trims it; elements may be empty.
// Not for lists whose elements hold quoted strings.
constexpr std::string_view take_element(std::string_view& list) {
    const std::size_t comma = list.find(',');
    const std::string_view element = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    return trim_blanks(element);
}

// `list` names `token` (lower case) among its comma-separated elements.
bool list_has_token(std::string_view list, std::string_view token);

// No byte of `text` is above 0x7f.
bool is_ascii(std::string_view text);

}  // namespace upcall_serve
