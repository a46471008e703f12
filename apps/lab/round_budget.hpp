// How often an experiment may repeat itself within the time that it was given.
#pragma once

#include <algorithm>
#include <cstddef>

namespace upcall_lab {

class round_budget {
  public:
    round_budget() = default;
    /// Of one experiment that may take so many seconds.
    explicit round_budget(double seconds) : seconds_(seconds) {}

    /// Whether a round is to begin, of which `wanted` are planned, `passed` seconds after the
    /// experiment began. The first always is; another if one as long as the longest so far fits.
    bool allows(std::size_t round, std::size_t wanted, double passed) {
        if (round == 0) {
            wanted_ = wanted;
            longest_ = 0;
        } else {
            longest_ = std::max(longest_, passed - begun_);
        }
        if (round >= wanted || (round > 0 && passed + longest_ > seconds_)) return false;
        begun_ = passed;
        done_ = round + 1;
        return true;
    }

    std::size_t done() const { return done_; }
    std::size_t wanted() const { return wanted_; }

  private:
    double seconds_ = 0;
    double begun_ = 0;
    double longest_ = 0;
    std::size_t done_ = 0;
    std::size_t wanted_ = 0;
};

/// What one of several experiments may take of the seconds that are left, as its plan is to the
/// plans of those that are left, its own among them.
constexpr double share_of(double seconds_left, double plan, double plans_left) {
    return plans_left > 0 ? std::max(0.0, seconds_left) * plan / plans_left : 0;
}

}  // namespace upcall_lab
