#include "lab/lab.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <upcall/os/limits.hpp>
#include <upcall/os/terminal.hpp>
#include <vector>

#include "lab/experiments.hpp"
#include "lab/output_file.hpp"
#include "lab/words.hpp"
#include "lab/write_html.hpp"
#include "lab/write_json.hpp"
#include "lab/write_text.hpp"
#include "serve/parse_error.hpp"

namespace upcall_lab {
namespace {

constexpr const char* help_text =
    R"(usage: upcall lab [--quick] [--only NAME...] [--report FILE.html] [--json FILE]

Measures on this machine what the kernel's interfaces for asynchronous I/O cost and when
they win, and holds the results against the textbooks' models. What it shows is printed
in sentences; the charts are in the report.

      --quick          under a minute on two cores; the whole takes about ten
      --only NAME      this experiment alone; may be repeated, or list several with commas
      --list           name the experiments
      --report FILE    one HTML page with charts, that needs nothing else
      --json FILE      every number, for programs
      --dir DIR        where the files go that are read and written ($TMPDIR, or /tmp);
                       they have no name there, and are gone when the program is
      --time FACTOR    measure each point FACTOR times as long, 0.01 to 10 (1)
  -h, --help           this text

Let nothing else run meanwhile. SIGINT ends it, and writes what was measured so far.
Exit status: 0; 1 when an experiment or a file failed; 2 for a wrong command line;
130 when it was interrupted.
)";

struct request {
    bool quick = false;
    bool list = false;
    std::vector<std::string> only;
    std::string report;
    std::string json;
    std::string directory;
    double time = 1;
};

using clock = std::chrono::steady_clock;
using upcall_serve::problem_with_rest;
using upcall_serve::words_for;

double seconds_since(clock::time_point start) {
    return std::chrono::duration<double>(clock::now() - start).count();
}

int complain(const std::string& what) {
    std::fprintf(stderr, "upcall lab: %s\nSee `upcall lab --help`.\n", what.c_str());
    return 2;
}

int fail(const std::string& what) {
    std::fprintf(stderr, "upcall lab: %s\n", what.c_str());
    return 1;
}

double factor_of(const std::string& text) {
    double factor = 0;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, factor);
    if (read.ec != std::errc{} || read.ptr != end || !(factor >= 0.01 && factor <= 10))
        throw CLI::ValidationError("--time", "'" + text + "' is not a number from 0.01 to 10");
    return factor;
}

int list_experiments() {
    for (const experiment& each : all_experiments())
        std::printf("%-14s %s (%.0f s, quick %.0f s)\n", each.name, each.title, each.seconds_full,
                    each.seconds_quick);
    return 0;
}

/// Those that were named, or all, in their order. Empty with the first unknown name in `unknown`.
std::vector<const experiment*> chosen(const request& wanted, std::string& unknown) {
    for (const std::string& name : wanted.only)
        if (std::ranges::none_of(all_experiments(),
                                 [&](const experiment& each) { return each.name == name; }))
            unknown = name;
    std::vector<const experiment*> found;
    if (!unknown.empty()) return found;
    for (const experiment& each : all_experiments())
        if (wanted.only.empty() || std::ranges::find(wanted.only, each.name) != wanted.only.end())
            found.push_back(&each);
    return found;
}

/// False when it failed; what it found until then is kept.
bool run_one(const experiment& which, lab_run& run, double seconds, findings& found) {
    found.name = which.name;
    found.title = which.title;
    const auto start = clock::now();
    run.begin(seconds);
    try {
        which.run(run, found);
    } catch (const lab_error& error) {
        found.failure = error.what();
    } catch (const std::bad_alloc&) {
        found.failure = "there is no memory for it";
    }
    found.seconds = seconds_since(start);
    const round_budget& rounds = run.budget();
    if (rounds.done() < rounds.wanted())
        found.notes.push_back("There was time for " + std::to_string(rounds.done()) + " of " +
                              std::to_string(rounds.wanted()) + " rounds on this machine.");
    return found.failure.empty();
}

int run_all(const request& wanted, const std::vector<const experiment*>& which, record& all) {
    const auto planned = [&](const experiment& each) {
        return (wanted.quick ? each.seconds_quick : each.seconds_full) * wanted.time;
    };
    double seconds = 0;
    for (const experiment* each : which) seconds += planned(*each);
    std::printf("A %s run of %zu experiment%s, about %.0f s\n\n", wanted.quick ? "quick" : "full",
                which.size(), which.size() == 1 ? "" : "s", seconds);
    std::fflush(stdout);
    progress shown(::isatty(STDERR_FILENO) == 1, seconds);
    lab_run run({.quick = wanted.quick, .time = wanted.time, .directory = wanted.directory}, shown);
    const std::size_t columns = upcall::standard_output().columns;
    const std::size_t width = columns == 0 ? 90 : std::clamp<std::size_t>(columns, 60, 110);
    int status = 0;
    const auto start = clock::now();
    double plans_left = seconds;
    for (const experiment* each : which) {
        findings found;
        const double share = share_of(seconds - seconds_since(start), planned(*each), plans_left);
        plans_left -= planned(*each);
        shown.begin(each->name, planned(*each));
        try {
            if (!run_one(*each, run, share, found)) status = 1;
        } catch (const interrupted&) {
            shown.wipe();
            std::fprintf(stderr, "upcall lab: interrupted; %s is left out\n", each->name);
            all.disturbances.push_back("It was interrupted in " + std::string(each->name) +
                                       ": that and what follows is left out.");
            return 130;
        }
        shown.end();
        std::fputs(write_text(found, width).c_str(), stdout);
        std::fflush(stdout);
        all.experiments.push_back(std::move(found));
    }
    return status;
}

std::string default_directory() {
    const char* const named = std::getenv("TMPDIR");
    return named != nullptr && *named != '\0' ? named : "/tmp";
}

int measure(const request& wanted, const std::vector<const experiment*>& which) {
    // Before ten minutes are spent.
    output_file report(wanted.report);
    output_file json(wanted.json);
    for (const output_file* each : {&report, &json})
        if (!each->error().empty()) return fail(each->error());
    if (!std::filesystem::is_directory(wanted.directory))
        return fail("cannot put files into '" + wanted.directory + "': it is no directory");
    note_cores();
    upcall::raise_descriptor_limit();
    watch_for_interrupts();

    record all;
    all.mode = wanted.quick ? "quick" : "full";
    all.machine = this_machine(wanted.directory);
    all.disturbances = disturbances();
    for (const std::string& each : all.disturbances)
        std::fprintf(stderr, "upcall lab: %s\n", each.c_str());
    const auto start = clock::now();
    int status = run_all(wanted, which, all);
    all.seconds = seconds_since(start);
    if (all.experiments.empty()) return status;
    if (!report.write(write_html(all))) status = fail(report.error());
    if (!json.write(write_json(all))) status = fail(json.error());
    return status;
}

}  // namespace
}  // namespace upcall_lab

int lab_main(int argc, char** argv) {
    using namespace upcall_lab;
    request wanted;
    wanted.directory = default_directory();
    CLI::App app;
    app.set_help_flag("-h,--help");
    app.allow_extras();
    app.add_flag("--quick", wanted.quick);
    app.add_flag("--list", wanted.list);
    app.add_option("--only", wanted.only)->delimiter(',')->allow_extra_args(false);
    app.add_option("--report", wanted.report);
    app.add_option("--json", wanted.json);
    app.add_option("--dir", wanted.directory);
    app.add_option_function<std::string>(
        "--time", [&](const std::string& text) { wanted.time = factor_of(text); });
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        std::fputs(help_text, stdout);
        return 0;
    } catch (const CLI::ParseError& error) {
        return complain(words_for(error));
    }
    if (const auto problem = problem_with_rest(app)) return complain(*problem);
    if (wanted.list) return list_experiments();
    std::string unknown;
    const auto which = chosen(wanted, unknown);
    if (which.empty())
        return complain("--only: '" + unknown + "' is no experiment; --list names them");
    return measure(wanted, which);
}
