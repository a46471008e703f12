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

std::expected<number_and_unit, std::string> split(std::string_view text, std::string_view like) {
    number_and_unit parts{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parts.number);
    if (error == std::errc::result_out_of_range)
        return std::unexpected("'" + std::string(text) + "' is too large");
    if (error != std::errc{})
        return std::unexpected("'" + std::string(text) + "' is not like " + std::string(like));
    parts.unit = text.substr(static_cast<std::size_t>(end - text.data()));
    return parts;
}

std::expected<std::uint64_t, std::string> times(std::uint64_t number, std::uint64_t factor,
                                                std::string_view text) {
    if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / factor)
        return std::unexpected("'" + std::string(text) + "' is too large");
    return number * factor;
}

}  // namespace

std::expected<std::uint64_t, std::string> parse_size(std::string_view text) {
    constexpr std::string_view like = "4096, 64k or 2M";
    const auto parts = split(text, like);
    if (!parts) return std::unexpected(parts.error());
    const std::string_view unit = parts->unit;
    if (unit.empty()) return times(parts->number, 1, text);
    const std::string_view tail = unit.substr(1);
    if (tail.empty() || equals_lower(tail, "b") || equals_lower(tail, "ib")) {
        switch (to_lower(unit[0])) {
            case 'k':
                return times(parts->number, std::uint64_t{1} << 10, text);
            case 'm':
                return times(parts->number, std::uint64_t{1} << 20, text);
            case 'g':
                return times(parts->number, std::uint64_t{1} << 30, text);
            default:
                break;
        }
    }
    return std::unexpected("'" + std::string(text) + "' is not like " + std::string(like));
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
    const auto ms = times(parts->number, factor, text);
    if (!ms) return std::unexpected(ms.error());
    if (*ms > 86'400'000) return std::unexpected("'" + std::string(text) + "' is more than 24h");
    return std::chrono::milliseconds(*ms);
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
