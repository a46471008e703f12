#include "lab/svg.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>

#include "lab/words.hpp"

namespace upcall_lab {
namespace {

constexpr double width = 760;
constexpr double height = 380;
constexpr double left = 84;
constexpr double right = 20;
constexpr double top = 16;
constexpr double bottom = 56;
constexpr double bottom_slanted = 110;

// Told apart also by people who see few colours (Okabe and Ito).
constexpr std::array<std::string_view, 8> colours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                     "#b8860b", "#56b4e9", "#555555", "#8b0000"};

std::string number_text(double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f", value);
    return text.data();
}

std::string text_at(double x, double y, std::string_view anchor, std::string_view words,
                    std::string_view more = {}) {
    return "<text x=\"" + number_text(x) + "\" y=\"" + number_text(y) + "\" text-anchor=\"" +
           std::string(anchor) + "\"" + std::string(more) + ">" + escaped(words) + "</text>\n";
}

std::string line_between(double x1, double y1, double x2, double y2, std::string_view style) {
    return "<line x1=\"" + number_text(x1) + "\" y1=\"" + number_text(y1) + "\" x2=\"" +
           number_text(x2) + "\" y2=\"" + number_text(y2) + "\" " + std::string(style) + "/>\n";
}

/// "latency, ns" is an axis of times: its marks carry the unit, which may be another at each.
struct axis_label {
    std::string words;
    std::string unit;
};
axis_label label_of(const std::string& text) {
    for (const std::string unit : {"ns", "bytes"})
        if (text.ends_with(", " + unit))
            return {text.substr(0, text.size() - unit.size() - 2), unit};
    return {text, {}};
}

struct axis {
    double low = 0;
    double high = 1;
    bool is_log = false;
    double from = 0;  // in the picture
    double to = 1;

    double place(double value) const {
        const double clamped = std::clamp(value, low, high);
        const double part = is_log ? std::log(clamped / low) / std::log(high / low)
                                   : (clamped - low) / (high - low);
        return from + part * (to - from);
    }
};

struct range {
    double low = std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();
    void add(double value, bool is_log) {
        if (!std::isfinite(value) || (is_log && value <= 0)) return;
        low = std::min(low, value);
        high = std::max(high, value);
    }
    bool empty() const { return low > high; }
};

axis axis_of(range seen, bool is_log, double from, double to, bool from_zero) {
    axis made{.low = 0, .high = 1, .is_log = is_log, .from = from, .to = to};
    if (seen.empty()) return made;
    if (is_log) {
        made.low = seen.low / 1.15;
        made.high = seen.high * 1.15;
        if (made.high / made.low < 3) {
            made.low /= 2;
            made.high *= 2;
        }
        return made;
    }
    made.low = from_zero ? std::min(0.0, seen.low) : seen.low;
    made.high = seen.high + (seen.high - made.low) * 0.06;
    if (made.high <= made.low) made.high = made.low + 1;
    return made;
}

axis x_axis_of(const chart& what) {
    if (what.kind == chart_kind::bars)
        return {.low = -0.5,
                .high = static_cast<double>(what.categories.size()) - 0.5,
                .is_log = false,
                .from = left,
                .to = width - right};
    range seen;
    for (const series& each : what.all)
        for (const point& at : each.points) seen.add(at.x, what.log_x);
    return axis_of(seen, what.log_x, left, width - right, false);
}

/// Names that would run into one another are written aslant.
bool are_slanted(const chart& what) {
    constexpr double character = 7;
    std::size_t longest = 0;
    for (const std::string& each : what.categories) longest = std::max(longest, each.size());
    return static_cast<double>(longest * what.categories.size()) * character > width - left - right;
}

double floor_of(const chart& what) {
    return height - (are_slanted(what) ? bottom_slanted : bottom);
}

axis y_axis_of(const chart& what) {
    range seen;
    for (const series& each : what.all)
        for (const point& at : each.points) {
            seen.add(at.y.low, what.log_y);
            seen.add(at.y.middle, what.log_y);
            seen.add(at.y.high, what.log_y);
        }
    return axis_of(seen, what.log_y, floor_of(what), top, true);
}

std::string category_at(double x, double y, const std::string& name, bool is_slanted) {
    if (!is_slanted) return text_at(x, y + 2, "middle", name);
    const std::string place = number_text(x + 4) + "," + number_text(y);
    return "<text transform=\"translate(" + place + ") rotate(-22)\" text-anchor=\"end\">" +
           escaped(name) + "</text>\n";
}

/// Powers of two, as "32 KiB" is round and "97.7 KiB" is not.
std::vector<double> byte_ticks(double low, double high) {
    constexpr int most = 8;
    const double doublings = std::log2(high / low);
    int step = 1;
    for (const int wider : {2, 5, 10})
        if (doublings > most * step) step = wider;
    std::vector<double> ticks;
    const int last = static_cast<int>(std::floor(std::log2(high) / step));
    for (int at = static_cast<int>(std::ceil(std::log2(low) / step)); at <= last; ++at)
        ticks.push_back(std::exp2(at * step));
    return ticks;
}

std::string frame_of(const chart& what, const axis& x, const axis& y) {
    std::string out;
    const axis_label label = label_of(what.y_label);
    const bool are_bytes = label.unit == "bytes" && y.is_log;
    for (const double tick :
         are_bytes ? byte_ticks(y.low, y.high) : ticks_of(y.low, y.high, y.is_log)) {
        const double at = y.place(tick);
        out += line_between(left, at, width - right, at, "class=\"grid\"");
        out += text_at(left - 8, at + 4, "end", in_unit(tick, label.unit));
    }
    const double floor = floor_of(what);
    if (what.kind == chart_kind::bars) {
        for (std::size_t i = 0; i < what.categories.size(); ++i)
            out += category_at(x.place(static_cast<double>(i)), floor + 16, what.categories[i],
                               are_slanted(what));
    } else {
        for (const double tick : ticks_of(x.low, x.high, x.is_log)) {
            const double at = x.place(tick);
            out += line_between(at, floor, at, floor + 5, "class=\"axis\"");
            out += text_at(at, floor + 18, "middle", in_digits(tick));
        }
    }
    out += line_between(left, floor, width - right, floor, "class=\"axis\"");
    out += line_between(left, top, left, floor, "class=\"axis\"");
    out += text_at((left + width - right) / 2, height - 12, "middle", what.x_label);
    out += "<text transform=\"translate(18," + number_text((top + floor) / 2) +
           ") rotate(-90)\" text-anchor=\"middle\">" + escaped(label.words) + "</text>\n";
    return out;
}

std::string stroke(std::string_view colour, std::string_view more = {}) {
    return "stroke=\"" + std::string(colour) + "\" " + std::string(more);
}

std::string whisker(double at, const spread& seen, const axis& y, std::string_view colour) {
    const double high = y.place(seen.high);
    const double low = y.place(seen.low);
    return line_between(at, high, at, low, stroke(colour, "stroke-width=\"1.2\"")) +
           line_between(at - 3, high, at + 3, high, stroke(colour, "stroke-width=\"1.2\"")) +
           line_between(at - 3, low, at + 3, low, stroke(colour, "stroke-width=\"1.2\""));
}

bool is_drawable(const point& at, const chart& what) {
    return std::isfinite(at.y.middle) && (!what.log_y || at.y.middle > 0) &&
           (!what.log_x || at.x > 0);
}

std::string hint(const series& of, const point& at, const chart& what) {
    const std::string unit = label_of(what.y_label).unit;
    const std::string x = what.kind == chart_kind::bars
                              ? what.categories.at(static_cast<std::size_t>(at.x))
                              : in_digits(at.x);
    std::string text = of.name + ", " + x + ": " + in_unit(at.y.middle, unit);
    if (at.y.samples > 1)
        text += " (" + in_unit(at.y.low, unit) + " to " + in_unit(at.y.high, unit) + ", " +
                std::to_string(at.y.samples) + " runs)";
    return "<title>" + escaped(text) + "</title>";
}

std::string draw_line(const series& each, const chart& what, const axis& x, const axis& y,
                      std::string_view colour) {
    std::string path;
    std::string band;
    std::string back;
    std::string marks;
    for (const point& at : each.points) {
        if (!is_drawable(at, what)) continue;
        const double across = x.place(at.x);
        const std::string place = number_text(across) + "," + number_text(y.place(at.y.middle));
        path += (path.empty() ? "M" : " L") + place;
        band += number_text(across) + "," + number_text(y.place(at.y.high)) + " ";
        std::string lower = number_text(across) + "," + number_text(y.place(at.y.low)) + " ";
        back.insert(0, lower);
        if (each.is_model) continue;
        marks += whisker(across, at.y, y, colour);
        marks += "<circle cx=\"" + number_text(across) + "\" cy=\"" +
                 number_text(y.place(at.y.middle)) + "\" r=\"3.5\" fill=\"" + std::string(colour) +
                 "\">" + hint(each, at, what) + "</circle>\n";
    }
    if (path.empty()) return {};
    std::string out;
    if (!each.is_model)
        out += "<polygon points=\"" + band + back + "\" fill=\"" + std::string(colour) +
               "\" opacity=\"0.13\"/>\n";
    out += "<path d=\"" + path + "\" fill=\"none\" " +
           stroke(colour, each.is_model ? "stroke-width=\"1.8\" stroke-dasharray=\"6 4\""
                                        : "stroke-width=\"2\"") +
           "/>\n";
    return out + marks;
}

std::string draw_bars(const series& each, std::size_t index, const chart& what, const axis& x,
                      const axis& y, std::string_view colour) {
    std::string out;
    const auto count = static_cast<double>(what.all.size());
    const double slot = (x.place(1) - x.place(0)) * 0.8 / count;
    for (const point& at : each.points) {
        if (!is_drawable(at, what)) continue;
        const double begin = x.place(at.x) + slot * (static_cast<double>(index) - count / 2);
        const double peak = y.place(at.y.middle);
        out += "<rect x=\"" + number_text(begin) + "\" y=\"" + number_text(peak) + "\" width=\"" +
               number_text(std::max(1.0, slot - 2)) + "\" height=\"" +
               number_text(std::max(0.5, floor_of(what) - peak)) + "\" fill=\"" +
               std::string(colour) + "\" opacity=\"0.85\">" + hint(each, at, what) + "</rect>\n";
        if (at.y.samples > 1) out += whisker(begin + slot / 2 - 1, at.y, y, "#222222");
    }
    return out;
}

void add_ticks(std::vector<double>& ticks, double low, double high, double decade,
               std::initializer_list<double> steps) {
    for (const double step : steps)
        if (const double tick = decade * step; tick >= low && tick <= high) ticks.push_back(tick);
}

std::vector<double> log_ticks(double low, double high) {
    std::vector<double> ticks;
    const double decades = std::log10(high / low);
    for (double power = std::floor(std::log10(low)); power <= std::ceil(std::log10(high));
         ++power) {
        const double decade = std::pow(10, power);
        if (decades > 3.2)
            add_ticks(ticks, low, high, decade, {1});
        else if (decades < 1)
            add_ticks(ticks, low, high, decade, {1, 1.5, 2, 3, 5, 7});
        else
            add_ticks(ticks, low, high, decade, {1, 2, 5});
    }
    return ticks;
}

}  // namespace

std::string escaped(std::string_view text) {
    std::string safe;
    for (const char each : text) {
        switch (each) {
            case '&':
                safe += "&amp;";
                break;
            case '<':
                safe += "&lt;";
                break;
            case '>':
                safe += "&gt;";
                break;
            case '"':
                safe += "&quot;";
                break;
            case '\'':
                safe += "&#39;";
                break;
            default:
                safe += static_cast<unsigned char>(each) < 0x20 || each == 0x7f ? ' ' : each;
        }
    }
    return safe;
}

std::vector<double> ticks_of(double low, double high, bool is_log) {
    if (!(high > low) || (is_log && low <= 0)) return {};
    if (is_log) return log_ticks(low, high);
    const double rough = (high - low) / 5;
    const double decade = std::pow(10, std::floor(std::log10(rough)));
    double step = decade * 10;
    for (const double each : {1.0, 2.0, 5.0}) {
        if (decade * each < rough) continue;
        step = decade * each;
        break;
    }
    std::vector<double> ticks;
    const auto first = static_cast<long>(std::ceil(low / step));
    const auto last = static_cast<long>(std::floor(high / step));
    for (long at = first; at <= last; ++at) ticks.push_back(static_cast<double>(at) * step);
    return ticks;
}

std::string_view colour_of(std::size_t index) { return colours[index % colours.size()]; }

std::string draw(const chart& what) {
    const bool has_points =
        std::ranges::any_of(what.all, [](const series& each) { return !each.points.empty(); });
    if (!has_points) return {};
    const axis x = x_axis_of(what);
    const axis y = y_axis_of(what);
    std::string out = "<svg viewBox=\"0 0 " + number_text(width) + " " + number_text(height) +
                      "\" role=\"img\" aria-label=\"" + escaped(what.title) + "\">\n";
    out += frame_of(what, x, y);
    for (std::size_t i = 0; i < what.all.size(); ++i)
        out += what.kind == chart_kind::bars ? draw_bars(what.all[i], i, what, x, y, colour_of(i))
                                             : draw_line(what.all[i], what, x, y, colour_of(i));
    return out + "</svg>\n";
}

}  // namespace upcall_lab
