#include "sim/find_bugs.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "sim/bulk.hpp"
#include "sim/planted.hpp"

namespace upcall_sim {

#ifdef UPCALL_PLANTED_BUGS

namespace {

constexpr std::size_t tries = 3;
constexpr std::uint64_t seeds_between_tries = 1'000'000;
constexpr std::uint64_t most_seeds = 500;

struct planting {
    const suite* in;
    std::string name;
    std::function<void()> plant;
};

std::vector<planting> all_bugs() {
    const suite& race = all_suites()[0];
    const suite& system = all_suites()[1];
    std::vector<planting> all;
    for (auto at = static_cast<int>(bug::none) + 1; at <= static_cast<int>(bug_last); ++at) {
        const auto which = static_cast<bug>(at);
        all.push_back({which >= bug::reads_then_writes ? &race : &system,
                       std::string(name_of(which)), [which] { plant(which); }});
    }
    for (const char* name : server_bugs())
        all.push_back({&system, std::string("site: ") + name, [name] { plant_below(name); }});
    for (const char* name : runtime_bugs())
        all.push_back({&race, std::string("runtime: ") + name, [name] { plant_below(name); }});
    return all;
}

/// Seeds that it took, or one more than `most_seeds` if it was not found.
std::uint64_t seeds_for(const planting& bug, std::uint64_t first, unsigned threads) {
    bulk_options how;
    how.first = first;
    how.count = most_seeds;
    how.threads = threads;
    how.twice = false;
    how.prepare = bug.plant;
    const bulk_outcome seen = run_bulk(*bug.in, how);
    return seen.failure ? seen.failure->seed - first + 1 : most_seeds + 1;
}

std::uint64_t median_for(const planting& bug, unsigned threads) {
    std::array<std::uint64_t, tries> all{};
    for (std::size_t at = 0; at < tries; ++at)
        all[at] = seeds_for(bug, 1 + at * seeds_between_tries, threads);
    std::ranges::sort(all);
    return all[tries / 2];
}

}  // namespace

int find_bugs(unsigned threads, const std::string& named) {
    std::vector<planting> all = all_bugs();
    std::erase_if(all, [&](const planting& bug) { return !bug.name.contains(named); });
    std::size_t found = 0;
    std::printf("| suite | bug | median of seeds |\n|---|---|---|\n");
    for (const planting& bug : all) {
        const std::uint64_t median = median_for(bug, threads);
        const std::string count = median > most_seeds ? "not found" : std::to_string(median);
        std::printf("| %s | %s | %s |\n", std::string(bug.in->name).c_str(), bug.name.c_str(),
                    count.c_str());
        std::fflush(stdout);
        if (median <= most_seeds) ++found;
    }
    std::printf("\n%zu of %zu are found; each was looked for from %zu different seeds on.\n", found,
                all.size(), tries);
    return found == all.size() ? 0 : 1;
}

std::function<void()> planter_of(const suite& in, const std::string& named) {
    std::function<void()> found;
    std::size_t count = 0;
    for (planting& bug : all_bugs()) {
        if (bug.in->name != in.name) continue;
        if (bug.name == named) return std::move(bug.plant);
        if (!bug.name.contains(named)) continue;
        ++count;
        found = std::move(bug.plant);
    }
    return count == 1 ? found : nullptr;
}

std::vector<std::string> bugs_of(const suite& in) {
    std::vector<std::string> names;
    for (const planting& bug : all_bugs())
        if (bug.in->name == in.name) names.push_back(bug.name);
    return names;
}

#else

std::function<void()> planter_of(const suite&, const std::string&) { return {}; }
std::vector<std::string> bugs_of(const suite&) { return {}; }

int find_bugs(unsigned, const std::string&) {
    std::fputs("upcall sim: no bugs are planted in this build; use upcall_sim_planted\n", stderr);
    return 2;
}

#endif

}  // namespace upcall_sim
