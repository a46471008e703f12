#include "lab/fit.hpp"

#include <algorithm>
#include <cmath>

namespace upcall_lab {

std::optional<cost_model> fit_cost_model(const std::vector<point>& threads,
                                         const std::vector<point>& loop) {
    if (threads.size() < 2 || loop.empty()) return std::nullopt;
    double x = 0;
    double y = 0;
    for (const point& each : threads) {
        x += 1 / each.x;
        y += each.y.middle;
    }
    const auto count = static_cast<double>(threads.size());
    x /= count;
    y /= count;
    double covariance = 0;
    double variance = 0;
    for (const point& each : threads) {
        covariance += (1 / each.x - x) * (each.y.middle - y);
        variance += (1 / each.x - x) * (1 / each.x - x);
    }
    if (variance == 0) return std::nullopt;
    double t_b = 0;
    for (const point& each : loop) t_b += each.y.middle;
    t_b /= static_cast<double>(loop.size());

    cost_model found;
    const double slope = covariance / variance;
    found.l = -slope;
    found.t0 = t_b + found.l;
    found.s = (y - slope * x - found.t0) / 2;
    return found;
}

std::optional<double> break_even(double c, double tr) {
    if (tr >= c) return std::nullopt;
    return c / (c - tr);
}

std::optional<double> crossing(const std::vector<point>& falling, const std::vector<point>& other) {
    const std::size_t count = std::min(falling.size(), other.size());
    for (std::size_t at = 0; at < count; ++at) {
        const double gap = falling[at].y.middle - other[at].y.middle;
        if (gap > 0) continue;
        if (at == 0) return falling[0].x;
        const double before = falling[at - 1].y.middle - other[at - 1].y.middle;
        return std::lerp(falling[at - 1].x, falling[at].x, before / (before - gap));
    }
    return std::nullopt;
}

std::optional<double> knee(const std::vector<point>& rising, double part) {
    if (rising.empty()) return std::nullopt;
    const auto best = std::ranges::max_element(rising, {}, [](const point& each) {
                          return each.y.middle;
                      })->y.middle;
    for (const point& each : rising)
        if (each.y.middle >= part * best) return each.x;
    return std::nullopt;
}

}  // namespace upcall_lab
