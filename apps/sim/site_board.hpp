// What the test knows of a site that is served in the simulated kernel: which contents its files
// ever had, and when its server was asked to stop.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <upcall/base/clock.hpp>
#include <upcall/sim/world.hpp>

namespace upcall_sim {

inline constexpr std::uint16_t site_port = 80;

/// Two that the server keeps in memory, and two that it reads from the disk each time.
struct site_file {
    std::string_view name;
    std::size_t bytes;
};
inline constexpr std::array<site_file, 4> site_files{
    {{"short.txt", 300}, {"page.html", 3'000}, {"photo.jpg", 20'000}, {"film.bin", 110'000}}};

/// No two versions of a file have the same size, so that a size tells which one is meant.
inline constexpr unsigned versions_max = 6;
constexpr std::size_t size_of(std::size_t file, unsigned version) noexcept {
    return site_files[file].bytes + std::size_t{17} * version;
}
std::string_view content_of(std::size_t file, unsigned version);

/// So many servers are stopped while clients are busy and nothing else goes wrong.
inline constexpr unsigned calm_servers_max = 3;

/// Requests that were sent so long before are there, when nothing goes wrong with the network.
inline constexpr upcall::duration arrival_max = std::chrono::microseconds(250);

struct site_board {
    explicit site_board(upcall::sim::world& in) : world(&in) {}

    upcall::sim::world* world;
    /// The newest version of each file that anybody may have seen.
    std::array<unsigned, site_files.size()> versions{};

    /// Nothing goes wrong any more. From then on servers are counted, from 1, with the times at
    /// which they were asked to stop.
    bool calm = false;
    unsigned calm_servers = 0;
    std::array<std::optional<upcall::duration>, calm_servers_max + 1> stops{};

    /// Why the run is a failure; the first reason stays.
    std::string wrong{};
    void complain(std::string why) {
        if (wrong.empty()) wrong = std::move(why);
    }
};

}  // namespace upcall_sim
