// What a server did under load, by connections, as values are gathered round by round.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "lab/findings.hpp"
#include "lab/load.hpp"
#include "lab/statistics.hpp"

namespace upcall_lab {

struct server_seen {
    /// As it is drawn.
    std::string name;
    /// For load_plan::server.
    std::string server;
    unsigned processes = 1;
    /// Values of each kind, in the order of load_outcome.
    std::map<unsigned, std::array<std::vector<double>, load_outcome::count>> by_connections{};
    bool has_failed = false;

    void add(unsigned connections, const samples& seen) {
        auto& values = by_connections[connections];
        for (std::size_t at = 0; at < values.size(); ++at) values.at(at).push_back(seen.at(at));
    }

    std::vector<point> points(std::size_t kind) const {
        std::vector<point> made;
        for (const auto& [connections, values] : by_connections)
            made.push_back({static_cast<double>(connections), spread_of(values.at(kind))});
        return made;
    }
};

/// Adds a line for each server to `made`.
inline chart chart_of(const std::vector<server_seen>& all, std::size_t kind, chart made) {
    for (const server_seen& each : all)
        made.all.push_back({.name = each.name, .points = each.points(kind), .is_model = false});
    return made;
}

}  // namespace upcall_lab
