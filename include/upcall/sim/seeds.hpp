// Trying many seeds, running one again, and making what failed smaller.
//
//     sim::report scenario(sim::world& w) {
//         w.service("server", server_main);
//         w.host("client", client_main);
//         return w.run();
//     }
//
//     const sim::survey seen = sim::try_seeds(scenario, {.count = 1000});
//     if (seen.failure) std::puts(sim::shrink(scenario, *seen.failure).text().c_str());
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <upcall/base/result.hpp>
#include <upcall/sim/report.hpp>
#include <upcall/sim/world.hpp>

namespace upcall::sim {

/// Adds the hosts, runs the world, and says with report::fail what is not as it should be. It is
/// called once for every run, so that what it keeps for a run is its own. An exception that leaves
/// it is a failure of the run.
using scenario = std::function<report(world&)>;

/// Which seeds are tried, and how.
struct try_options {
    std::uint64_t first = 1;
    std::uint64_t count = 100;
    /// Of every run; the seed is replaced.
    world_options world{};
    /// Runs every seed twice: two runs that differ are a failure, for then something outside of
    /// the world has a say.
    bool twice = true;
    /// Told after every seed; may be empty. False ends it.
    std::function<bool(const report&)> progress{};
};

/// What came of trying them.
struct survey {
    /// Runs, of which each seed has two with try_options::twice.
    std::uint64_t tried = 0;
    /// Of all of them.
    std::uint64_t outcomes = 0;
    /// The first seed that failed; no others were tried.
    std::optional<report> failure;
};

/// Runs `what` with one seed after the other, on this thread, until one fails. Throws
/// std::bad_alloc, and what `progress` throws.
survey try_seeds(const scenario& what, const try_options& how = {});

/// One run. `options.kernel.seed` decides.
report run_seed(const scenario& what, const world_options& options);

/// The run that `of` tells of, again: by its choices, not by its seed.
report replay(const scenario& what, const report& of, const world_options& options = {});

/// Looks for a run that fails in the same way with fewer classes of faults, fewer choices and
/// plainer ones, in at most `runs` runs. Its seed tells where it came from; only its choices run it
/// again. What fails in one way: the same `how`, and the same `what` up to a semicolon and but for
/// numbers.
report shrink(const scenario& what, const report& failed, const world_options& options = {},
              unsigned runs = 500);

/// A failure as a file, so that it can be a test from then on: what it was, and its choices.
/// Reading yields what `replay` needs. Errors: those of the file; invalid_argument for one that is
/// no such file.
result<void> save(const report& failed, const std::string& path);
result<report> load(const std::string& path);

}  // namespace upcall::sim
