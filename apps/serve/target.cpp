#include "serve/target.hpp"

#include <algorithm>
#include <cassert>

#include "serve/chars.hpp"
#include "serve/utf8.hpp"

namespace upcall_serve {

namespace {

constexpr std::unexpected<refusal> bad_escape{refusal{400, "invalid percent-escape in path"}};
constexpr std::unexpected<refusal> bad_byte{refusal{400, "forbidden character in path"}};

// Even behind an escape.
bool is_forbidden(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\' || c == '/';
}

bool is_device_name(std::string_view segment) {
    const std::string_view stem = trim_blanks(segment.substr(0, segment.find('.')));
    if (stem.size() == 4 && is_digit(stem[3]))
        return equals_lower(stem.substr(0, 3), "com") || equals_lower(stem.substr(0, 3), "lpt");
    for (std::string_view name : {"con", "prn", "aux", "nul", "conin$", "conout$", "clock$"})
        if (equals_lower(stem, name)) return true;
    return false;
}

bool is_windows_trap(std::string_view segment) {
    return segment.back() == '.' || segment.back() == ' ' ||
           segment.find_first_of(":*?\"<>|") != std::string_view::npos || is_device_name(segment);
}

// The segment is not empty. Status 0 lets it pass.
refusal judge_segment(std::string_view segment, bool first, const path_rules& rules) {
    if (segment == "." || segment == "..") return {400, "dot segment in path"};
    if (segment[0] == '.' && !rules.dotfiles && !(first && segment == ".well-known"))
        return {404, "hidden file"};
    if (rules.windows_names && is_windows_trap(segment)) return {404, "reserved file name"};
    return {};
}

// Decodes path[i], which may be the start of an escape, and moves `i` behind it.
std::expected<char, refusal> decode_byte(std::string_view path, std::size_t& i) {
    char c = path[i++];
    if (c == '%') {
        if (i + 1 >= path.size() || !is_hex(path[i]) || !is_hex(path[i + 1])) return bad_escape;
        c = static_cast<char>(hex_value(path[i]) << 4 | hex_value(path[i + 1]));
        i += 2;
    } else if (!is_target_char(c)) {
        return bad_byte;
    }
    if (is_forbidden(c)) return bad_byte;
    return c;
}

}  // namespace

std::expected<target_path, refusal> decode_target(std::string_view target, std::span<char> out,
                                                  const path_rules& rules) {
    assert(target.starts_with('/') || target.starts_with('?'));
    const std::size_t mark = target.find('?');
    const std::string_view path = target.substr(0, mark);
    if (out.size() < decoded_target_bytes(path.size()))
        return std::unexpected(refusal{414, "path too long"});

    std::size_t written = 0;  // `out` holds whole segments, joined by slashes, and this one
    std::size_t segment = 0;  // where this one begins
    bool ascii = true;
    auto end_segment = [&]() -> refusal {
        if (written == segment) return {};
        const std::string_view name(out.data() + segment, written - segment);
        if (const refusal why = judge_segment(name, segment == 0, rules); why.status != 0)
            return why;
        out[written++] = '/';
        segment = written;
        return {};
    };
    for (std::size_t i = 0; i < path.size();) {
        if (path[i] == '/') {
            ++i;
            if (const refusal why = end_segment(); why.status != 0) return std::unexpected(why);
            continue;
        }
        const auto byte = decode_byte(path, i);
        if (!byte) return std::unexpected(byte.error());
        ascii = ascii && static_cast<unsigned char>(*byte) < 0x80;
        out[written++] = *byte;
    }
    const bool directory = written == segment;
    if (const refusal why = end_segment(); why.status != 0) return std::unexpected(why);

    if (written == 0) {
        out[written++] = '.';
        out[written++] = '/';
    }
    out[--written] = '\0';  // in place of the last slash
    const std::string_view decoded(out.data(), written);
    if (!ascii && !is_utf8(decoded)) return std::unexpected(refusal{400, "path is not UTF-8"});
    return target_path{
        decoded, directory,
        mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1)};
}

bool can_be_asked_for(std::string_view name, const path_rules& rules) {
    return std::ranges::none_of(name, is_forbidden) && is_utf8(name) &&
           judge_segment(name, false, rules).status == 0;
}

}  // namespace upcall_serve
