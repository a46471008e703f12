#include "serve/quantity.hpp"

#include <charconv>
#include <limits>

#include "serve/chars.hpp"

namespace upcall_serve {

namespace {

struct number_and_unit {
    std::uint64_t number;
    std::string_view unit;
};

constexpr std::uint64_t number_max = std::numeric_limits<std::uint64_t>::max();

// A number that is too large for 64 bits is as good as the largest: what limit it is beyond is told
// by who knows of it.
std::expected<number_and_unit, std::string> split(std::string_view text, std::string_view like) {
    number_and_unit parts{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parts.number);
    if (error == std::errc::result_out_of_range)
        parts.number = number_max;
    else if (error != std::errc{})
        return std::unexpected("'" + std::string(text) + "' is not like " + std::string(like));
    parts.unit = text.substr(static_cast<std::size_t>(end - text.data()));
    return parts;
}

std::uint64_t times(std::uint64_t number, std::uint64_t factor) {
    return number > number_max / factor ? number_max : number * factor;
}

// What a unit of size stands for; 0 where it is none.
std::uint64_t size_of(std::string_view unit) {
    if (unit.empty()) return 1;
    const std::string_view tail = unit.substr(1);
    if (!tail.empty() && !equals_lower(tail, "b") && !equals_lower(tail, "ib")) return 0;
    switch (to_lower(unit[0])) {
        case 'k':
            return std::uint64_t{1} << 10;
        case 'm':
            return std::uint64_t{1} << 20;
        case 'g':
            return std::uint64_t{1} << 30;
        default:
            return 0;
    }
}

}  // namespace

std::expected<std::uint64_t, std::string> parse_size(std::string_view text, std::uint64_t least,
                                                     std::uint64_t most) {
    constexpr std::string_view like = "4096, 64k or 2M";
    const auto parts = split(text, like);
    if (!parts) return std::unexpected(parts.error());
    const std::uint64_t factor = size_of(parts->unit);
    if (factor == 0)
        return std::unexpected("'" + std::string(text) + "' is not like " + std::string(like));
    const std::uint64_t bytes = times(parts->number, factor);
    if (bytes < least || bytes > most)
        return std::unexpected("'" + std::string(text) + "' is not from " + std::to_string(least) +
                               " to " + std::to_string(most) + " bytes");
    return bytes;
}

std::expected<std::chrono::milliseconds, std::string> parse_duration(std::string_view text) {
    constexpr std::string_view like = "500ms, 10s, 2m or 1h";
    const auto parts = split(text, like);
    if (!parts) return std::unexpected(parts.error());
    std::uint64_t factor = 0;
    if (parts->unit.empty() || parts->unit == "s") factor = 1000;
    if (parts->unit == "ms") factor = 1;
    if (parts->unit == "m") factor = 60'000;
    if (parts->unit == "h") factor = 3'600'000;
    if (factor == 0)
        return std::unexpected("'" + std::string(text) + "' is not like " + std::string(like));
    // A day is longer than any connection should be waited for, and far from overflow.
    const std::uint64_t ms = times(parts->number, factor);
    if (ms > 86'400'000) return std::unexpected("'" + std::string(text) + "' is more than 24h");
    return std::chrono::milliseconds(ms);
}

std::expected<std::uint64_t, std::string> parse_count(std::string_view text, std::uint64_t least,
                                                      std::uint64_t most) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc{} && end == text.data() + text.size() && number >= least &&
        number <= most)
        return number;
    return std::unexpected("'" + std::string(text) + "' is not a number from " +
                           std::to_string(least) + " to " + std::to_string(most));
}

}  // namespace upcall_serve
