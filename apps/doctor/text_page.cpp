#include "doctor/text_page.hpp"

namespace upcall_doctor {
namespace {

constexpr std::size_t margin = 2;
constexpr std::size_t label_width = 13;
constexpr std::size_t mark_width = 5;
constexpr std::size_t body = margin + label_width;

std::string_view escape_of(tone how) noexcept {
    switch (how) {
        case tone::plain:
            return {};
        case tone::strong:
            return "\x1b[1m";
        case tone::good:
            return "\x1b[32m";
        case tone::bad:
            return "\x1b[31m";
        case tone::warning:
            return "\x1b[33m";
        case tone::faint:
            return "\x1b[2m";
    }
    return {};
}

// A label longer than its column pushes the text, by two blanks at least.
std::size_t padding_after(std::string_view label, std::size_t width) noexcept {
    return label.size() + 2 <= width ? width - label.size() : 2;
}

// Takes the next word off the front. What stands between backquotes is one word: a command that
// breaks over two lines cannot be copied.
std::string_view next_word(std::string_view& words) noexcept {
    std::size_t end = 0;
    bool is_command = false;
    while (end < words.size() && (is_command || words[end] != ' ')) {
        if (words[end] == '`') is_command = !is_command;
        ++end;
    }
    const std::string_view word = words.substr(0, end);
    words.remove_prefix(end < words.size() ? end + 1 : end);
    return word;
}

}  // namespace

std::string text_page::coloured(std::string_view words, tone how) const {
    const std::string_view escape = escape_of(how);
    if (!style_.colours || escape.empty() || words.empty()) return std::string(words);
    return std::string(escape) + std::string(words) + "\x1b[0m";
}

void text_page::wrap(std::string_view words, std::size_t start, std::size_t indent, tone how) {
    std::string line;
    std::size_t column = start;
    const auto end_line = [&] {
        text_ += coloured(line, how);
        text_ += '\n';
        line.clear();
    };
    while (!words.empty()) {
        const std::string_view word = next_word(words);
        if (word.empty()) continue;
        const std::size_t gap = line.empty() ? 0 : 1;
        if (!line.empty() && column + gap + word.size() > style_.width) {
            end_line();
            text_.append(indent, ' ');
            column = indent;
        } else if (gap) {
            line += ' ';
            ++column;
        }
        line += word;
        column += word.size();
    }
    end_line();
}

void text_page::heading(std::string_view title) {
    if (!text_.empty()) text_ += '\n';
    text_ += coloured(title, tone::strong);
    text_ += '\n';
}

void text_page::item(std::string_view label, std::string_view text, tone label_tone) {
    text_.append(margin, ' ');
    text_ += coloured(label, label_tone);
    const std::size_t padding = padding_after(label, label_width);
    text_.append(padding, ' ');
    wrap(text, margin + label.size() + padding, body);
}

void text_page::marked(std::string_view label, std::string_view mark, tone mark_tone,
                       std::string_view text) {
    text_.append(margin, ' ');
    text_ += label;
    const std::size_t padding = padding_after(label, label_width);
    text_.append(padding, ' ');
    text_ += coloured(mark, mark_tone);
    const std::size_t gap = padding_after(mark, mark_width);
    text_.append(gap, ' ');
    wrap(text, margin + label.size() + padding + mark.size() + gap, body + mark_width);
}

void text_page::advice(std::string_view text) {
    text_.append(body, ' ');
    text_ += coloured("->", tone::warning);
    text_ += ' ';
    wrap(text, body + 3, body + 3);
}

void text_page::paragraph(std::string_view text, tone how) {
    text_.append(margin, ' ');
    wrap(text, margin, margin, how);
}

}  // namespace upcall_doctor
