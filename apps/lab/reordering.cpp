// Reordering: two writes to one place that are in flight together, and two that are sequenced.
#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "lab/experiments.hpp"
#include "lab/pair_writes.hpp"
#include "lab/scratch.hpp"
#include "lab/words.hpp"

namespace upcall_lab {
namespace {

struct way_seen {
    pair_way way;
    /// Percent of a round's pairs, by kind: told in the other order, first won, mixed.
    std::array<std::vector<double>, 3> parts{};
    double pairs = 0;
    double wrong = 0;  // pairs whose last write did not win
};

/// The share of all pairs, from the round with the lowest to the one with the highest: what is
/// rare has a median of 0.
series column(const std::vector<way_seen>& from, std::size_t kind, const std::string& name) {
    series made{.name = name, .points = {}, .is_model = false};
    for (std::size_t at = 0; at < from.size(); ++at) {
        const std::vector<double>& rounds = from[at].parts.at(kind);
        const auto [low, high] = std::ranges::minmax(rounds);
        const double sum = std::accumulate(rounds.begin(), rounds.end(), 0.0);
        made.points.push_back(
            {static_cast<double>(at),
             {low, sum / static_cast<double>(rounds.size()), high, rounds.size()}});
    }
    return made;
}

std::string sentence_of(const std::vector<way_seen>& all) {
    const way_seen* worst = nullptr;
    double wrong = 0;
    double sequenced = 0;
    for (const way_seen& each : all) {
        if (each.way.is_sequenced) {
            wrong += each.wrong;
            sequenced += each.pairs;
        } else if (worst == nullptr || each.wrong / each.pairs > worst->wrong / worst->pairs) {
            worst = &each;
        }
    }
    std::string text;
    if (worst != nullptr && worst->wrong > 0)
        text = "By " + worst->way.name + " the write that was started last was not what remained " +
               in_digits(100 * worst->wrong / worst->pairs) + " % of the time";
    else
        text = "No pair in flight together was reordered here, which is luck and no promise";
    return text + "; of " + in_digits(sequenced) + " sequenced pairs " +
           (wrong == 0 ? "none was" : in_digits(wrong) + " were") + " reordered.";
}

}  // namespace

void measure_reordering(lab_run& run, findings& found) {
    found.question =
        "Two writes of 64 KiB go to one place, the second started after the first. In flight "
        "together, how often is it the first that remains?";
    const owned_fd file = filled_file(run.settings().directory, 1 << 20);
    std::vector<way_seen> all;
    for (pair_way& each : pair_ways(found)) all.push_back({.way = std::move(each)});
    const std::size_t rounds = run.rounds(3, 7);
    const auto pairs = static_cast<unsigned>(run.rounds(60, 600));
    run.expect_steps(rounds * all.size());
    for (std::size_t round = 0; run.another_round(round, rounds); ++round)
        for (way_seen& each : all) {
            const auto seen = run.measure(each.way.name, [&] {
                return write_pairs(each.way, file.get(), pairs).as_samples();
            });
            if (!seen) {
                lab_run::leave_out(found, each.way.name, seen.error());
                continue;
            }
            for (std::size_t kind = 0; kind < each.parts.size(); ++kind)
                each.parts.at(kind).push_back(100 * seen->at(kind + 1) / seen->at(0));
            each.pairs += seen->at(0);
            each.wrong += seen->at(2) + seen->at(3);
        }
    std::erase_if(all, [](const way_seen& each) { return each.pairs == 0; });
    if (all.empty()) throw lab_error("no pair could be written");

    chart made;
    made.name = "reordered";
    made.title = "Pairs that came out in the other order";
    made.kind = chart_kind::bars;
    made.x_label = "how the two are written";
    made.y_label = "% of the pairs";
    for (const way_seen& each : all) made.categories.push_back(each.way.name);
    made.all = {column(all, 0, "completions in the other order"),
                column(all, 1, "the first write remained"),
                column(all, 2, "some of both remained")};
    made.sentence = sentence_of(all);
    found.charts.push_back(std::move(made));
    double sequenced_wrong = 0;
    for (const way_seen& each : all)
        if (each.way.is_sequenced) sequenced_wrong += each.wrong;
    found.numbers.push_back({"sequenced_reordered", sequenced_wrong, "",
                             "sequenced pairs whose second write did not remain; must be 0"});
    found.notes.emplace_back(
        "Bars are of all pairs, whiskers from the lowest round to the highest.");
    found.notes.emplace_back(
        "Cached writes by io_uring are done while they are handed over, one after the other; "
        "nothing "
        "promises that. Its workers, threads and disks have no order.");
    found.notes.emplace_back(
        "Completions in the other order do not mean that the writes were: the last to be told of "
        "need not be the last to be done.");
    if (sequenced_wrong > 0) throw lab_error("a sequenced pair came out in the other order");
}

}  // namespace upcall_lab
