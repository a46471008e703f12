#include "serve/content_coding.hpp"

#include <algorithm>

#include "serve/chars.hpp"

namespace upcall_serve {

namespace {

// "0" to "1" with up to three decimals, in thousandths; -1 for anything else.
int parse_weight(std::string_view text) {
    if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return -1;
    int weight = (text[0] - '0') * 1000;
    if (text.size() > 1 && text[1] != '.') return -1;
    int unit = 100;
    for (char c : text.substr(std::min<std::size_t>(text.size(), 2))) {
        if (!is_digit(c)) return -1;
        weight += (c - '0') * unit;
        unit /= 10;
    }
    return weight <= 1000 ? weight : -1;
}

// The weight behind a coding's name: ";q=0.5", with blanks about the semicolon, or nothing.
int parse_parameter(std::string_view text) {
    if (text.empty()) return 1000;
    text = trim_blanks(text.substr(1));  // the semicolon
    if (text.size() < 2 || to_lower(text[0]) != 'q' || text[1] != '=') return -1;
    return parse_weight(text.substr(2));
}

}  // namespace

std::string_view coding_name(content_coding coding) {
    switch (coding) {
        case content_coding::gzip:
            return "gzip";
        case content_coding::zstd:
            return "zstd";
        case content_coding::br:
            return "br";
        case content_coding::identity:
            break;
    }
    return "";
}

std::string_view coding_suffix(content_coding coding) {
    switch (coding) {
        case content_coding::gzip:
            return ".gz";
        case content_coding::zstd:
            return ".zst";
        case content_coding::br:
            return ".br";
        case content_coding::identity:
            break;
    }
    return "";
}

void accepted_codings::add(std::string_view line) {
    while (!line.empty()) {
        const std::string_view element = take_element(line);
        const std::size_t semicolon = std::min(element.find(';'), element.size());
        const std::string_view name = trim_blanks(element.substr(0, semicolon));
        const int weight = parse_parameter(element.substr(semicolon));
        if (weight < 0) continue;
        auto set = [&](content_coding coding) {
            weights_[static_cast<std::size_t>(coding)] = weight;
        };
        if (name == "*")
            rest_ = weight;
        else if (equals_lower(name, "br"))
            set(content_coding::br);
        else if (equals_lower(name, "zstd"))
            set(content_coding::zstd);
        else if (equals_lower(name, "gzip") || equals_lower(name, "x-gzip"))
            set(content_coding::gzip);
        else if (equals_lower(name, "identity"))
            set(content_coding::identity);
    }
}

accepted_codings accepted_codings::of(const request& from) {
    accepted_codings result;
    from.for_each(field::accept_encoding, [&](std::string_view line) { result.add(line); });
    return result;
}

// Identity that is not spoken of is acceptable, and liked less than anything that is, unless
// "*" rules it out.
int accepted_codings::weight(content_coding coding) const {
    const int said = weights_[static_cast<std::size_t>(coding)];
    if (said != unsaid) return said;
    if (coding == content_coding::identity) return rest_ == 0 ? 0 : 1;
    return std::max(rest_, 0);
}

content_coding accepted_codings::choose(coding_set available) const {
    content_coding best = content_coding::identity;
    int best_weight = weight(best);
    for (content_coding coding : {content_coding::gzip, content_coding::zstd, content_coding::br})
        if (available.has(coding) && weight(coding) > 0 && weight(coding) >= best_weight) {
            best = coding;
            best_weight = weight(coding);
        }
    return best;
}

}  // namespace upcall_serve
