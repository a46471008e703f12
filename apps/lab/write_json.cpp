#include "lab/write_json.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

namespace upcall_lab {
namespace {

using nlohmann::json;

// JSON has no infinity.
json finite(double value) { return std::isfinite(value) ? json(value) : json(nullptr); }

json json_of(const series& each) {
    json points = json::array();
    for (const point& at : each.points)
        points.push_back({{"x", finite(at.x)},
                          {"median", finite(at.y.middle)},
                          {"low", finite(at.y.low)},
                          {"high", finite(at.y.high)},
                          {"samples", at.y.samples}});
    return {{"name", each.name}, {"model", each.is_model}, {"points", points}};
}

json json_of(const chart& each) {
    json all = json::array();
    for (const series& one : each.all) all.push_back(json_of(one));
    json made = {{"name", each.name},   {"title", each.title}, {"sentence", each.sentence},
                 {"x", each.x_label},   {"y", each.y_label},   {"log_x", each.log_x},
                 {"log_y", each.log_y}, {"series", all}};
    if (each.kind == chart_kind::bars) made["categories"] = each.categories;
    return made;
}

json json_of(const findings& each) {
    json charts = json::array();
    for (const chart& one : each.charts) charts.push_back(json_of(one));
    json numbers = json::object();
    for (const number& one : each.numbers)
        numbers[one.name] = {
            {"value", finite(one.value)}, {"unit", one.unit}, {"meaning", one.meaning}};
    json missing = json::array();
    for (const left_out& one : each.missing)
        missing.push_back({{"what", one.what}, {"why", one.why}});
    json made = {{"name", each.name},         {"title", each.title},
                 {"question", each.question}, {"charts", charts},
                 {"numbers", numbers},        {"notes", each.notes},
                 {"left_out", missing},       {"seconds", finite(each.seconds)}};
    made["failure"] = each.failure.empty() ? json(nullptr) : json(each.failure);
    return made;
}

}  // namespace

std::string write_json(const record& all) {
    json machine = json::object();
    for (const auto& [name, value] : all.machine) machine[name] = value;
    json experiments = json::array();
    for (const findings& each : all.experiments) experiments.push_back(json_of(each));
    const json made = {{"upcall", UPCALL_VERSION},         {"mode", all.mode},
                       {"seconds", finite(all.seconds)},   {"machine", machine},
                       {"disturbances", all.disturbances}, {"experiments", experiments}};
    return made.dump(1, ' ', false, json::error_handler_t::replace) + '\n';
}

}  // namespace upcall_lab
