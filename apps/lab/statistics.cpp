#include "lab/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace upcall_lab {

double quantile(std::vector<double> values, double part) {
    if (values.empty()) return 0;
    std::ranges::sort(values);
    const double place = part * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(std::floor(place));
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return std::lerp(values[below], values[above], place - static_cast<double>(below));
}

spread spread_of(const std::vector<double>& values) {
    return {quantile(values, 0.25), quantile(values, 0.5), quantile(values, 0.75), values.size()};
}

spread ratio_of_pairs(std::span<const double> above, std::span<const double> below) {
    std::vector<double> ratios;
    for (std::size_t at = 0; at < std::min(above.size(), below.size()); ++at)
        if (below[at] != 0) ratios.push_back(above[at] / below[at]);
    return spread_of(ratios);
}

}  // namespace upcall_lab
