// Medians and quartiles: what is drawn of repeated measurements.
#pragma once

#include <span>
#include <vector>

#include "lab/findings.hpp"

namespace upcall_lab {

/// The value below which `part` (0 to 1) of the values lie, between neighbours by their distance.
/// 0 without values.
double quantile(std::vector<double> values, double part);

/// Quartiles and median.
spread spread_of(const std::vector<double>& values);

/// The spread of the ratios of values that were measured in pairs. Of unequal lengths the shorter
/// one counts; pairs with a zero below are left out.
spread ratio_of_pairs(std::span<const double> above, std::span<const double> below);

}  // namespace upcall_lab
