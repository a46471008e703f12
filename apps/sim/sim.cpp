#include "sim/sim.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <expected>
#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <upcall/os/terminal.hpp>

#include "serve/parse_error.hpp"
#include "serve/quantity.hpp"
#include "sim/bulk.hpp"
#include "sim/find_bugs.hpp"

namespace upcall_sim {
namespace {

using namespace upcall;
using upcall_serve::parse_count;
using upcall_serve::problem_with_rest;
using upcall_serve::words_for;
using steady = std::chrono::steady_clock;

constexpr const char* help_text =
    R"(usage: upcall sim [--suite NAME] [--seeds N] [--first SEED] [--save FILE]
       upcall sim [--suite NAME] --replay FILE

Runs programs in the simulated kernel, under faults, once for each of many seeds, and
each seed twice: two runs that differ are a failure, too. The first seed that fails is
told with the last of what happened in it, then made smaller and saved.

      --suite NAME     system: a log, an echo server and a site with their clients (the
                       default); race: small contended programs
      --seeds N        how many (1000)
      --first SEED     the first of them (1)
      --fresh          begins at a seed drawn anew, which is told, or at UPCALL_FIRST_SEED
      --jobs N         threads (one for each processor)
      --save FILE      where a failure goes (upcall-sim-SUITE-SEED.case)
      --replay FILE    runs a saved failure again, or all that are in a folder
      --no-shrink      saves a failure as it was
      --planted        in a build with planted bugs: how many seeds each of them takes
      --bug TEXT       only those with TEXT in their names; without --planted the suite runs
                       with that bug
  -h, --help           this text

Exit status: 0; 1 when a seed failed, or a replayed failure still does, or the seeds
were enough to reach every rare state and did not; 2 for a wrong command line.
)";

/// From so many seeds on every probe has to have been reached.
constexpr std::uint64_t seeds_that_reach_all = 1000;

struct request {
    std::string suite = "system";
    std::uint64_t seeds = 1000;
    std::uint64_t first = 1;
    unsigned jobs = std::max(1U, std::thread::hardware_concurrency());
    std::string save;
    std::string replay;
    bool fresh = false;
    bool keeps_size = false;
    bool planted = false;
    std::string bug;
    std::function<void()> plant;
};

int complain(const std::string& what) {
    std::fprintf(stderr, "upcall sim: %s\nSee `upcall sim --help`.\n", what.c_str());
    return 2;
}

const suite* find_suite(const std::string& name) {
    const auto found = std::ranges::find(all_suites(), name, &suite::name);
    return found == all_suites().end() ? nullptr : &*found;
}

std::string suite_list() {
    std::string list;
    for (const suite& one : all_suites()) list.append(list.empty() ? "" : ", ").append(one.name);
    return list;
}

/// Short, so that it is easily typed, and far from those that everybody runs.
std::expected<std::uint64_t, std::string> fresh_seed() {
    const char* const given = std::getenv("UPCALL_FIRST_SEED");
    if (given) return parse_count(given, 0, UINT64_MAX);
    return (std::uint64_t{std::random_device{}()} + 1) * 10'000;
}

/// A number within limits, which the refusal names.
template <class Target>
void add_count(CLI::App& app, const char* flag, Target& into, std::uint64_t least,
               std::uint64_t most) {
    app.add_option_function<std::string>(flag, [=, &into](const std::string& text) {
        const auto count = parse_count(text, least, most);
        if (!count) throw CLI::ValidationError(flag, count.error());
        into = static_cast<Target>(*count);
    });
}

std::string cannot_read(const std::string& path, const std::error_code& why) {
    if (why == std::errc::invalid_argument) return path + " is not a saved case";
    return "cannot read " + path + ": " + why.message();
}

int replay_case(const suite& which, const std::string& path) {
    const auto saved = sim::load(path);
    if (!saved) return complain(cannot_read(path, saved.error()));
    const sim::report seen = sim::replay(which.run, *saved, which.options);
    std::fputs(seen.text().c_str(), stdout);
    return seen.ok() ? 0 : 1;
}

/// Those that are kept because they failed once.
int replay_folder(const suite& which, const std::filesystem::path& folder) {
    std::vector<std::string> paths;
    for (const auto& one : std::filesystem::directory_iterator(folder))
        if (one.path().extension() == ".case") paths.push_back(one.path().string());
    std::ranges::sort(paths);
    int worst = 0;
    for (const std::string& path : paths) {
        const auto saved = sim::load(path);
        if (!saved) return complain(cannot_read(path, saved.error()));
        const sim::report seen = sim::replay(which.run, *saved, which.options);
        if (seen.ok()) continue;
        std::printf("%s\n%s", path.c_str(), seen.text().c_str());
        worst = 1;
    }
    if (paths.empty()) return complain("there are no saved failures in " + folder.string());
    std::printf("%zu saved failures of %s\n", paths.size(), std::string(which.name).c_str());
    return worst;
}

int tell_failure(const suite& which, const request& wanted, const sim::report& failed) {
    std::fputs(failed.text().c_str(), stdout);
    std::printf("upcall sim --suite %s --first %llu --seeds 1   runs this seed again\n",
                wanted.suite.c_str(), static_cast<unsigned long long>(failed.seed));
    std::fflush(stdout);
    sim::report kept = failed;
    if (!wanted.keeps_size) {
        std::printf("making it smaller\n");
        std::fflush(stdout);
        kept = sim::shrink(which.run, failed, which.options);
        std::printf("%zu choices instead of %zu, %llu outcomes instead of %llu\n",
                    kept.choices.size(), failed.choices.size(),
                    static_cast<unsigned long long>(kept.outcomes),
                    static_cast<unsigned long long>(failed.outcomes));
    }
    const std::string path = !wanted.save.empty() ? wanted.save
                                                  : "upcall-sim-" + wanted.suite + "-" +
                                                        std::to_string(failed.seed) + ".case";
    if (const auto saved = sim::save(kept, path); !saved)
        return complain("cannot write " + path + ": " + saved.error().message()), 1;
    std::printf("upcall sim --suite %s --replay %s   runs it again\n", wanted.suite.c_str(),
                path.c_str());
    return 1;
}

int tell_probes(const suite& which, std::uint64_t seeds) {
    int missing = 0;
    for (const probe one : which.probes) {
        const auto times = times_reached(one);
        std::printf("%12llu times %s\n", static_cast<unsigned long long>(times),
                    std::string(name_of(one)).c_str());
        if (times == 0 && seeds >= seeds_that_reach_all) missing = 1;
    }
    if (missing != 0) std::printf("a state that these seeds are there for was never reached\n");
    return missing;
}

int run_seeds(const suite& which, const request& wanted) {
    bulk_options how;
    how.first = wanted.first;
    how.count = wanted.seeds;
    how.threads = wanted.jobs;
    how.twice = !wanted.plant;
    how.prepare = wanted.plant;
    const auto start = steady::now();
    auto told = start;
    if (standard_output().is_terminal)
        how.progress = [&](std::uint64_t done) {
            if (steady::now() - told < std::chrono::milliseconds(200)) return;
            told = steady::now();
            std::printf("\r%llu of %llu seeds ", static_cast<unsigned long long>(done),
                        static_cast<unsigned long long>(wanted.seeds));
            std::fflush(stdout);
        };
    const bulk_outcome seen = run_bulk(which, how);
    const std::chrono::duration<double> took = steady::now() - start;
    std::printf(
        "%s%s: %llu seeds in %.1f s (%.0f a minute), %llu outcomes, %llu a seed\n",
        how.progress ? "\r" : "", wanted.suite.c_str(), static_cast<unsigned long long>(seen.seeds),
        took.count(), static_cast<double>(seen.seeds) * 60 / took.count(),
        static_cast<unsigned long long>(seen.outcomes),
        static_cast<unsigned long long>(seen.outcomes / std::max<std::uint64_t>(1, seen.seeds)));
    if (seen.failure) return tell_failure(which, wanted, *seen.failure);
    return tell_probes(which, seen.seeds);
}

}  // namespace
}  // namespace upcall_sim

int sim_main(int argc, char** argv) {
    using namespace upcall_sim;
    request wanted;
    CLI::App app;
    app.set_help_flag("-h,--help");
    app.allow_windows_style_options(false);
    app.allow_extras();
    app.add_option("--suite", wanted.suite);
    add_count(app, "--seeds", wanted.seeds, 1, UINT64_MAX);
    add_count(app, "--first", wanted.first, 0, UINT64_MAX);
    add_count(app, "--jobs", wanted.jobs, 1, 1024);
    app.add_flag("--fresh", wanted.fresh);
    app.add_option("--save", wanted.save);
    app.add_option("--replay", wanted.replay);
    app.add_flag("--no-shrink", wanted.keeps_size);
    app.add_flag("--planted", wanted.planted);
    app.add_option("--bug", wanted.bug);
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        std::fputs(help_text, stdout);
        return 0;
    } catch (const CLI::ParseError& error) {
        return complain(words_for(error));
    }
    if (const auto problem = problem_with_rest(app)) return complain(*problem);
    if (wanted.fresh && app.count("--first") > 0)
        return complain("--first and --fresh both say with which seed to begin");
    const suite* const which = find_suite(wanted.suite);
    if (!which) return complain("--suite: '" + wanted.suite + "' is none of " + suite_list());
    // Where no bugs are planted it says so.
    const bool unplanted = !wanted.bug.empty() && bugs_of(*which).empty();
    if (wanted.planted || unplanted) return find_bugs(wanted.jobs, wanted.bug);
    if (!wanted.bug.empty()) {
        wanted.plant = planter_of(*which, wanted.bug);
        if (!wanted.plant)
            return complain("--bug: '" + wanted.bug + "' is in the name of no bug, or of several");
        wanted.plant();  // for what runs on this thread alone
    }
    if (std::filesystem::is_directory(wanted.replay)) return replay_folder(*which, wanted.replay);
    if (!wanted.replay.empty()) return replay_case(*which, wanted.replay);
    if (wanted.fresh) {
        const auto seed = fresh_seed();
        if (!seed) return complain("UPCALL_FIRST_SEED: " + seed.error());
        wanted.first = *seed;
        std::printf("the first seed is %llu\n", static_cast<unsigned long long>(wanted.first));
    }
    return run_seeds(*which, wanted);
}
