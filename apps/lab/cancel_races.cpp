// Cancel races: how often a cancellation wins, by operation and by when it comes, and that no
// outcome is double.
#include <fcntl.h>

#include <array>
#include <map>
#include <upcall/driver/select.hpp>
#include <vector>

#include "lab/cancelling.hpp"
#include "lab/experiments.hpp"
#include "lab/scratch.hpp"
#include "lab/statistics.hpp"
#include "lab/words.hpp"

namespace upcall_lab {
namespace {

constexpr std::uint64_t file_bytes = 8 << 20;

struct racer {
    std::string name;
    race_plan plan;
    /// Percent cancelled, by delay in µs.
    std::map<double, std::vector<double>> won{};
};

struct totals {
    double trials = 0;
    double twice = 0;
    double lost = 0;
};

std::vector<racer> racers_here(findings& found, int file) {
    std::vector<racer> all;
    std::string best;
    for (const std::string& driver : upcall::driver_names()) {
        if (const auto why = lacks_driver(driver)) {
            lab_run::leave_out(found, "reads of a pipe on " + driver, *why);
            continue;
        }
        if (best.empty()) best = driver;
        all.push_back(
            {.name = "pipe read, " + driver, .plan = {.driver = driver, .what = raced::pipe_read}});
    }
    if (best.empty()) throw lab_error("no driver can be made here");
    all.push_back({.name = "timer", .plan = {.driver = best, .what = raced::timer}});
    if (file >= 0)
        all.push_back({.name = "direct file read, " + best,
                       .plan = {.driver = best,
                                .what = raced::direct_read,
                                .file = file,
                                .blocks = file_bytes / 4096}});
    return all;
}

std::string curve_words(const racer& of) {
    const double early = spread_of(of.won.begin()->second).middle;
    const double late = spread_of(of.won.rbegin()->second).middle;
    return "Asked for " + in_digits(-of.won.begin()->first) +
           " µs before the value, cancelling a " + of.name + " wins " + in_digits(early) +
           " % of the time; " + in_digits(of.won.rbegin()->first) + " µs after it, " +
           in_digits(late) + " %";
}

}  // namespace

void measure_cancel_races(lab_run& run, findings& found) {
    found.question =
        "An operation is asked to end at about the moment at which it is done. Who wins, by how "
        "early or late that is, and is there ever more than one outcome, or a byte lost?";
    owned_fd file;
    owned_fd direct;
    try {
        file = filled_file(run.settings().directory, file_bytes);
        direct = open_again(file.get(), O_RDONLY | O_DIRECT);
    } catch (const lab_error& error) {
        lab_run::leave_out(found, "direct file read", error.what());
    }
    std::vector<racer> all = racers_here(found, direct.get());
    std::vector<double> delays = {-30, -10, -3, 0, 3, 10, 30};
    if (!run.quick()) delays = {-100, -30, -20, -10, -5, -2, 0, 2, 5, 10, 20, 30, 100};
    if (run.is_a_trial()) delays = {-10, 10};
    const std::size_t rounds = run.rounds(3, 7);
    const auto trials = static_cast<unsigned>(run.rounds(40, 250));
    run.expect_steps(rounds * all.size());
    totals sum;
    for (std::size_t round = 0; run.another_round(round, rounds); ++round)
        for (racer& each : all) {
            const auto seen = run.measure(each.name, [&] {
                samples some;
                for (const double delay : delays) {
                    race_plan plan = each.plan;
                    plan.delay_ns = delay * 1000;
                    plan.trials = trials;
                    const samples one = race_cancellation(plan).as_samples();
                    some.insert(some.end(), one.begin(), one.end());
                }
                return some;
            });
            if (!seen) {
                lab_run::leave_out(found, each.name, seen.error());
                continue;
            }
            for (std::size_t at = 0; at < delays.size(); ++at) {
                const double* const one = seen->data() + 4 * at;
                each.won[delays[at]].push_back(100 * one[1] / one[0]);
                sum.trials += one[0];
                sum.twice += one[2];
                sum.lost += one[3];
            }
        }
    std::erase_if(all, [](const racer& each) { return each.won.empty(); });
    if (all.empty()) throw lab_error("nothing could be raced");

    chart made;
    made.name = "cancelled";
    made.title = "How often the cancellation wins";
    made.x_label = "cancellation after the value, µs";
    made.y_label = "% cancelled";
    for (const racer& each : all) {
        series line{.name = each.name, .points = {}, .is_model = false};
        for (const auto& [delay, won] : each.won) line.points.push_back({delay, spread_of(won)});
        made.all.push_back(std::move(line));
    }
    made.sentence = curve_words(all.front()) + ". Of " + in_digits(sum.trials) +
                    " operations in all, " + in_digits(sum.twice) +
                    " had another number of outcomes than one, and " + in_digits(sum.lost) +
                    " lost a byte.";
    found.charts.push_back(std::move(made));
    found.numbers.push_back({"trials", sum.trials, "", "operations raced"});
    found.numbers.push_back({"outcomes_not_one", sum.twice, "",
                             "operations with another number of outcomes than one; must be 0"});
    found.numbers.push_back(
        {"lost", sum.lost, "", "cancelled reads whose byte was gone all the same; must be 0"});
    found.notes.emplace_back(
        "A cancellation comes from another thread, so it is on its way for a while: a value that "
        "is "
        "there some microseconds later still wins. A direct read has no set moment: its delay "
        "counts "
        "from its start, and before it means that it had hardly begun.");
    if (sum.twice > 0 || sum.lost > 0) throw lab_error("an outcome was double, or a byte was lost");
}

}  // namespace upcall_lab
