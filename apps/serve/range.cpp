#include "serve/range.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "serve/chars.hpp"

namespace upcall_serve {

namespace {

constexpr std::uint64_t no_end = std::numeric_limits<std::uint64_t>::max();

// Digits, and nothing else. A number that is too large for 64 bits is as good as the largest.
std::optional<std::uint64_t> parse_position(std::string_view text) {
    if (text.empty() || !std::ranges::all_of(text, is_digit)) return std::nullopt;
    std::uint64_t value = 0;
    for (char c : text) {
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (value > (no_end - digit) / 10) return no_end;
        value = value * 10 + digit;
    }
    return value;
}

// One element of the set as it was written, before it meets a file.
struct range_spec {
    bool suffix = false;
    std::uint64_t first = 0;  // or the suffix's length
    std::uint64_t last = no_end;
};

std::optional<range_spec> parse_spec(std::string_view text) {
    const std::size_t dash = text.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    const std::string_view after = text.substr(dash + 1);
    const auto first = parse_position(dash == 0 ? after : text.substr(0, dash));
    if (!first) return std::nullopt;
    if (dash == 0) return range_spec{.suffix = true, .first = *first};
    if (after.empty()) return range_spec{.first = *first};
    const auto last = parse_position(after);
    if (!last || *last < *first) return std::nullopt;
    return range_spec{.first = *first, .last = *last};
}

std::optional<byte_range> resolve(const range_spec& spec, std::uint64_t file_bytes) {
    if (file_bytes == 0 || (spec.suffix ? spec.first == 0 : spec.first >= file_bytes))
        return std::nullopt;
    if (spec.suffix)
        return byte_range{file_bytes - std::min(spec.first, file_bytes), file_bytes - 1};
    return byte_range{spec.first, std::min(spec.last, file_bytes - 1)};
}

bool touch(const byte_range& a, const byte_range& b) {
    const byte_range& low = a.first <= b.first ? a : b;
    const byte_range& high = a.first <= b.first ? b : a;
    return high.first <= low.last || high.first - low.last <= range_gap_joined;
}

}  // namespace

// Joining may bring the new range within reach of another, so the joined one is added anew. It
// takes the place of the earliest that it swallows.
void range_set::add(byte_range range) {
    std::size_t place = count_;
    for (std::size_t i = 0; i < count_;) {
        if (!touch(ranges_[i], range)) {
            ++i;
            continue;
        }
        range = {std::min(range.first, ranges_[i].first), std::max(range.last, ranges_[i].last)};
        place = std::min(place, i);
        std::copy(ranges_.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                  ranges_.begin() + static_cast<std::ptrdiff_t>(count_),
                  ranges_.begin() + static_cast<std::ptrdiff_t>(i));
        --count_;
        i = 0;
    }
    std::copy_backward(ranges_.begin() + static_cast<std::ptrdiff_t>(place),
                       ranges_.begin() + static_cast<std::ptrdiff_t>(count_),
                       ranges_.begin() + static_cast<std::ptrdiff_t>(count_) + 1);
    ranges_[place] = range;
    ++count_;
}

range_set parse_range(std::string_view value, std::uint64_t file_bytes) {
    constexpr std::string_view unit = "bytes=";
    const range_set whole;
    if (!equals_lower(value.substr(0, unit.size()), unit)) return whole;
    value.remove_prefix(unit.size());

    range_set result;
    std::size_t asked = 0;
    bool suffix_of_nothing = false;
    while (!value.empty()) {
        const std::string_view element = take_element(value);
        if (element.empty()) continue;  // RFC 9110, section 5.6.1.2
        const auto spec = parse_spec(element);
        if (!spec || ++asked > ranges_max) return whole;
        suffix_of_nothing =
            suffix_of_nothing || (spec->suffix && spec->first > 0 && file_bytes == 0);
        if (const auto range = resolve(*spec, file_bytes)) result.add(*range);
    }
    // A suffix of an empty file is satisfiable, but has no Content-Range: it is the whole.
    if (asked == 0 || suffix_of_nothing) return whole;
    result.outcome_ = result.count_ == 0 ? range_outcome::unsatisfiable : range_outcome::partial;
    return result;
}

}  // namespace upcall_serve
