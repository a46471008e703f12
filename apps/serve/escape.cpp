#include "serve/escape.hpp"

#include <cstdint>

#include "serve/chars.hpp"
#include "serve/utf8.hpp"

namespace upcall_serve {

namespace {

bool is_unreserved(char c) {
    return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

bool is_printable(char c) { return c >= 0x20 && c < 0x7f; }

void put_unicode_escape(text_writer& out, unsigned unit) {
    out.put("\\u").put_hex(static_cast<unsigned char>(unit >> 8));
    out.put_hex(static_cast<unsigned char>(unit & 0xff));
}

// `character` is one well-formed character of two to four bytes.
void put_json_character(text_writer& out, std::string_view character) {
    const auto lead = static_cast<unsigned char>(character[0]);
    unsigned code = lead & (0xffu >> (character.size() + 1));
    for (char c : character.substr(1)) code = code << 6 | (static_cast<unsigned char>(c) & 0x3fu);
    if (code < 0x10000) return put_unicode_escape(out, code);
    code -= 0x10000;
    put_unicode_escape(out, 0xd800 + (code >> 10));
    put_unicode_escape(out, 0xdc00 + (code & 0x3ff));
}

void put_json_ascii(text_writer& out, char c) {
    switch (c) {
        case '"':
            out.put("\\\"");
            return;
        case '\\':
            out.put("\\\\");
            return;
        case '\n':
            out.put("\\n");
            return;
        case '\r':
            out.put("\\r");
            return;
        case '\t':
            out.put("\\t");
            return;
        default:
            break;
    }
    if (is_printable(c))
        out.put(c);
    else
        put_unicode_escape(out, static_cast<unsigned char>(c));
}

}  // namespace

void put_html(text_writer& out, std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        switch (text[0]) {
            case '&':
                out.put("&amp;");
                break;
            case '<':
                out.put("&lt;");
                break;
            case '>':
                out.put("&gt;");
                break;
            case '"':
                out.put("&quot;");
                break;
            case '\'':
                out.put("&#39;");
                break;
            default:
                if (length == 0 || (length == 1 && !is_printable(text[0])))
                    out.put("\xef\xbf\xbd");
                else
                    out.put(text.substr(0, length));
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
}

void put_url_path(text_writer& out, std::string_view path) {
    for (char c : path) {
        if (c == '/' || is_unreserved(c))
            out.put(c);
        else
            out.put('%').put_hex(static_cast<unsigned char>(c), "0123456789ABCDEF");
    }
}

void put_json(text_writer& out, std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        if (length == 1)
            put_json_ascii(out, text[0]);
        else if (length == 0)
            put_unicode_escape(out, 0xfffd);
        else
            put_json_character(out, text.substr(0, length));
        text.remove_prefix(length == 0 ? 1 : length);
    }
}

void put_log(text_writer& out, std::string_view text) {
    for (char c : text) {
        if (c == '"' || c == '\\')
            out.put('\\').put(c);
        else if (is_printable(c))
            out.put(c);
        else
            out.put("\\x").put_hex(static_cast<unsigned char>(c));
    }
}

}  // namespace upcall_serve
