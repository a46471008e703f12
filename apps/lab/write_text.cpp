#include "lab/write_text.hpp"

#include <algorithm>
#include <string_view>

#include "lab/words.hpp"

namespace upcall_lab {
namespace {

// Columns, not bytes: µ and its kind take two of these.
std::size_t columns_of(std::string_view word) {
    std::size_t count = 0;
    for (const char each : word)
        if ((static_cast<unsigned char>(each) & 0xc0U) != 0x80U) ++count;
    return count;
}

void wrap(std::string& out, std::string_view first, std::string_view words, std::size_t width) {
    const std::string margin(columns_of(first), ' ');
    out += first;
    std::size_t column = margin.size();
    bool is_first = true;
    while (!words.empty()) {
        const std::size_t end = std::min(words.find(' '), words.size());
        const std::string_view word = words.substr(0, end);
        words.remove_prefix(std::min(end + 1, words.size()));
        if (word.empty()) continue;
        if (!is_first && column + 1 + columns_of(word) > width) {
            out += '\n' + margin;
            column = margin.size();
        } else if (!is_first) {
            out += ' ';
            ++column;
        }
        out += word;
        column += columns_of(word);
        is_first = false;
    }
    out += '\n';
}

}  // namespace

std::string write_text(const findings& what, std::size_t width) {
    std::string out = what.title + " (" + what.name + ", " + in_digits(what.seconds) + " s)\n";
    if (!what.failure.empty()) wrap(out, "  ", "Not measured: " + what.failure, width);
    for (const chart& each : what.charts)
        if (!each.sentence.empty()) wrap(out, "  ", each.sentence, width);
    for (const number& each : what.numbers) {
        std::string value = "    " + in_unit(each.value, each.unit);
        value.append(columns_of(value) < 18 ? 18 - columns_of(value) : 2, ' ');
        wrap(out, value, each.meaning, width);
    }
    for (const std::string& each : what.notes) wrap(out, "  - ", each, width);
    for (const left_out& each : what.missing)
        wrap(out, "  - ", "left out: " + each.what + ": " + each.why, width);
    return out + '\n';
}

}  // namespace upcall_lab
