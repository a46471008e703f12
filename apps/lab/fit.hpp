// The models that the experiments are held against, and how their parameters are found.
#pragma once

#include <optional>
#include <vector>

#include "lab/findings.hpp"

namespace upcall_lab {

/// CPU time of one operation: k threads that block, T_A(k) = t0 + 2s - l/k, against one loop,
/// T_B = t0 - l. t0 is the work, s one switch, l the best that a warm cache can bring.
struct cost_model {
    double t0 = 0;
    double s = 0;
    double l = 0;

    double threads(double k) const { return t0 + 2 * s - l / k; }
    double loop() const { return t0 - l; }
    /// R(k), the price of threads.
    double ratio(double k) const { return threads(k) / loop(); }
};

/// Least squares of T_A over 1/k, and the mean of T_B, each from medians. Nothing with fewer than
/// two values of k, or without a loop.
std::optional<cost_model> fit_cost_model(const std::vector<point>& threads,
                                         const std::vector<point>& loop);

/// Where measured medians are farthest from what a model says, as a part of what it says.
struct misfit {
    double x = 0;
    double part = 0;
};
template <class Model>
misfit worst_misfit(const std::vector<point>& measured, Model model) {
    misfit worst;
    for (const point& each : measured) {
        const double expected = model(each.x);
        const double part = expected == 0 ? 0 : each.y.middle / expected - 1;
        if ((part < 0 ? -part : part) > (worst.part < 0 ? -worst.part : worst.part))
            worst = {each.x, part};
    }
    return worst;
}

/// B* = c / (c - tr): from this batch on, paying `c` once a batch and `tr` a request is cheaper
/// than paying `c` for every request. Nothing when tr is not less than c: then it never is.
std::optional<double> break_even(double c, double tr);

/// The first x at which `falling` is no longer above `other`, between points by their distance.
/// Nothing if it stays above. Both have the same x.
std::optional<double> crossing(const std::vector<point>& falling, const std::vector<point>& other);

/// The smallest x whose median is at least `part` of the greatest: where more brings no more.
std::optional<double> knee(const std::vector<point>& rising, double part);

}  // namespace upcall_lab
