#include "sim/find_bugs.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>

#include "sim/bulk.hpp"
#include "sim/planted.hpp"

namespace upcall_sim {

#ifdef UPCALL_PLANTED_BUGS

namespace {

constexpr std::size_t tries = 3;
constexpr std::uint64_t seeds_between_tries = 1'000'000;
constexpr std::uint64_t most_seeds = 1000;

/// Seeds that it took, up to `most_seeds` if it was not found.
std::uint64_t seeds_for(const suite& in, bug which, std::uint64_t first, unsigned threads) {
    bulk_options how;
    how.first = first;
    how.count = most_seeds;
    how.threads = threads;
    how.twice = false;
    how.prepare = [which] { plant(which); };
    const bulk_outcome seen = run_bulk(in, how);
    return seen.failure ? seen.failure->seed - first + 1 : most_seeds + 1;
}

std::uint64_t median_for(const suite& in, bug which, unsigned threads) {
    std::array<std::uint64_t, tries> all{};
    for (std::size_t at = 0; at < tries; ++at)
        all[at] = seeds_for(in, which, 1 + at * seeds_between_tries, threads);
    std::ranges::sort(all);
    return all[tries / 2];
}

}  // namespace

int find_bugs(unsigned threads) {
    int missed = 0;
    for (auto at = static_cast<int>(bug::none) + 1; at <= static_cast<int>(bug_last); ++at) {
        const auto which = static_cast<bug>(at);
        const suite& in = all_suites()[which >= bug::reads_then_writes ? 0 : 1];
        const std::uint64_t median = median_for(in, which, threads);
        const std::string count =
            median > most_seeds ? "not found" : std::to_string(median) + " seeds";
        std::printf("%-8s %-40s %s\n", std::string(in.name).c_str(),
                    std::string(name_of(which)).c_str(), count.c_str());
        std::fflush(stdout);
        if (median > most_seeds) missed = 1;
    }
    return missed;
}

#else

int find_bugs(unsigned) {
    std::fputs("upcall sim: no bugs are planted in this build; use upcall_sim_planted\n", stderr);
    return 2;
}

#endif

}  // namespace upcall_sim
