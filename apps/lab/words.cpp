#include "lab/words.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <system_error>

namespace upcall_lab {
namespace {

std::string with_decimals(double value, int decimals) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
    return text.data();
}

std::string with_commas(double value) {
    std::string digits = with_decimals(value, 0);
    const std::size_t first = digits.front() == '-' ? 1 : 0;
    for (std::size_t at = digits.size(); at > first + 3;) {
        at -= 3;
        digits.insert(at, 1, ',');
    }
    return digits;
}

struct scale {
    double size;
    const char* name;
};

}  // namespace

std::string in_digits(double value) {
    if (!std::isfinite(value)) return "unknown";
    const double size = std::abs(value);
    if (size == 0) return "0";
    if (size >= 1000) {
        const double step = std::pow(10, std::floor(std::log10(size)) - 2);
        return with_commas(std::round(value / step) * step);
    }
    int decimals = 2 - static_cast<int>(std::floor(std::log10(size)));
    std::string digits = with_decimals(value, decimals);
    if (digits.find('.') == std::string::npos) return digits;
    while (digits.back() == '0') digits.pop_back();
    if (digits.back() == '.') digits.pop_back();
    return digits;
}

std::string in_time(double nanoseconds) {
    for (const scale each : {scale{1e9, " s"}, scale{1e6, " ms"}, scale{1e3, " µs"}})
        if (std::abs(nanoseconds) >= each.size)
            return in_digits(nanoseconds / each.size) + each.name;
    return in_digits(nanoseconds) + " ns";
}

std::string in_bytes(double bytes) {
    for (const scale each : {scale{0x1p30, " GiB"}, scale{0x1p20, " MiB"}, scale{0x1p10, " KiB"}})
        if (std::abs(bytes) >= each.size) return in_digits(bytes / each.size) + each.name;
    return in_digits(bytes) + " B";
}

std::string in_times(double ratio) { return in_digits(ratio) + " times"; }

std::string in_percent(double part) {
    constexpr double least_told = 0.0005;
    if (std::abs(part) < least_told) return "0 %";
    return (part > 0 ? "+" : "") + in_digits(part * 100) + " %";
}

std::string in_unit(double value, std::string_view unit) {
    if (unit == "ns") return in_time(value);
    if (unit == "bytes") return in_bytes(value);
    return unit.empty() ? in_digits(value) : in_digits(value) + " " + std::string(unit);
}

std::string counted(double count, std::string_view one, std::string_view many) {
    return in_digits(count) + " " + std::string(count == 1 ? one : many);
}

std::string failed(std::string_view what, int error) {
    return "cannot " + std::string(what) + ": " + std::generic_category().message(error);
}

}  // namespace upcall_lab
