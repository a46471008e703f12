// Charts as SVG: axes, points with whiskers from quartile to quartile, a band between them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lab/findings.hpp"

namespace upcall_lab {

/// Text that is safe between tags and in attributes of HTML and SVG. Control characters, which
/// neither can hold, become blanks.
std::string escaped(std::string_view text);

/// Where an axis is marked, all within [low, high].
std::vector<double> ticks_of(double low, double high, bool is_log);

/// An <svg> element; an empty string for a chart without points.
std::string draw(const chart& what);

/// The colour of the series with this number, as in the legend: "#0072b2".
std::string_view colour_of(std::size_t index);

}  // namespace upcall_lab
