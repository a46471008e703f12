// The last of what happened in a world, for its report.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include <upcall/driver/sim_kernel.hpp>

namespace upcall::sim {

class history {
  public:
    explicit history(std::size_t lines) : moments_(lines) {}

    void add(const sim_event& outcome) noexcept;
    /// Something that is no outcome; `text` is cut to what fits.
    void add(time_point at, sim_host host, const char* text) noexcept;

    /// Oldest first. `names` of hosts by their numbers; times are told from `start`.
    std::vector<std::string> lines(time_point start, const std::vector<std::string>& names) const;

  private:
    struct moment {
        sim_event outcome{};
        bool is_outcome = false;
        std::array<char, 40> text{};
    };

    moment* next() noexcept;

    std::vector<moment> moments_;
    std::size_t count_ = 0;
};

}  // namespace upcall::sim
