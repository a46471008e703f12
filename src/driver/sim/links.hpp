// Which computers reach which, one direction at a time.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include <upcall/base/clock.hpp>

namespace upcall::sim {

class links {
  public:
    using way = std::pair<std::uint32_t, std::uint32_t>;  // from, to

    void cut(way which) { cut_.insert(which); }
    /// Returns whether it was cut.
    bool mend(way which) { return cut_.erase(which) > 0; }
    bool open(way which) const { return cut_.empty() || !cut_.contains(which); }

    /// Nothing comes through before `until`; then all of it does.
    void clog(way which, time_point until) { clogged_[which] = until; }
    /// From when on something comes through; long ago when it was never clogged.
    time_point clogged_until(way which) const {
        if (clogged_.empty()) return time_point::min();
        const auto found = clogged_.find(which);
        return found == clogged_.end() ? time_point::min() : found->second;
    }

  private:
    std::set<way> cut_;
    std::map<way, time_point> clogged_;
};

}  // namespace upcall::sim
