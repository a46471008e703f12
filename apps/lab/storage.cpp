// Storage: random reads by interface and depth, past the page cache and out of it; durable writes.
#include <fcntl.h>

#include <algorithm>
#include <array>
#include <map>
#include <upcall/driver/host.hpp>
#include <vector>

#include "lab/durable.hpp"
#include "lab/experiments.hpp"
#include "lab/fit.hpp"
#include "lab/scratch.hpp"
#include "lab/statistics.hpp"
#include "lab/storage_ways.hpp"
#include "lab/words.hpp"

namespace upcall_lab {
namespace {

enum what { rate, median, slowest, cpu, busy };
constexpr std::uint64_t mebibyte = 1 << 20;
constexpr std::uint64_t least_bytes = 8 * mebibyte;
/// Throughput that counts as all there is.
constexpr double nearly_all = 0.95;

/// By way, by depth: values of each kind.
using values_by_depth = std::map<unsigned, std::array<std::vector<double>, read_outcome::count>>;
struct way_seen {
    std::string name;
    values_by_depth by_depth{};
    std::string failure{};

    std::vector<point> points(std::size_t kind) const {
        std::vector<point> made;
        for (const auto& [depth, values] : by_depth)
            made.push_back({static_cast<double>(depth), spread_of(values.at(kind))});
        return made;
    }
};

chart chart_of(const std::vector<way_seen>& all, std::size_t kind, const std::string& name,
               const std::string& title, const std::string& y_label) {
    chart made;
    made.name = name;
    made.title = title;
    made.x_label = "reads in flight";
    made.y_label = y_label;
    made.log_x = made.log_y = true;
    for (const way_seen& each : all)
        made.all.push_back({.name = each.name, .points = each.points(kind), .is_model = false});
    return made;
}

const way_seen* fastest(const std::vector<way_seen>& all) {
    const auto best_of = [](const way_seen& of) {
        double best = 0;
        for (const point& each : of.points(rate)) best = std::max(best, each.y.middle);
        return best;
    };
    const way_seen* best = nullptr;
    for (const way_seen& each : all)
        if (!each.by_depth.empty() && (best == nullptr || best_of(each) > best_of(*best)))
            best = &each;
    return best;
}

double at_depth(const way_seen& of, std::size_t kind, double depth) {
    for (const point& each : of.points(kind))
        if (each.x == depth) return each.y.middle;
    return 0;
}

/// What limits the fastest way where more reads in flight bring no more.
std::string limit_words(const std::vector<way_seen>& all) {
    const way_seen* const best = fastest(all);
    if (best == nullptr) return "Nothing could be read.";
    const double depth = knee(best->points(rate), nearly_all).value_or(1);
    const double used = at_depth(*best, busy, depth);
    return "The most is " + in_digits(at_depth(*best, rate, depth)) + " reads a second, by " +
           best->name + " with " + in_digits(depth) + " in flight, where " + in_digits(used * 100) +
           " % of a core is used: " +
           (used < 0.8 ? "the device is the limit, not the processor."
                       : "the processor is the limit, not the device.");
}

std::string cached_words(const std::vector<way_seen>& all) {
    const way_seen* const best = fastest(all);
    if (best == nullptr) return "Nothing could be read.";
    const auto rates = best->points(rate);
    const double depth = knee(rates, nearly_all).value_or(1);
    return "Out of the cache the most is " + in_digits(at_depth(*best, rate, depth)) +
           " reads a second, by " + best->name + " with " + in_digits(depth) +
           " in flight; no device has a part in that.";
}

std::string latency_words(const std::vector<way_seen>& all) {
    const way_seen* const best = fastest(all);
    if (best == nullptr) return {};
    const auto last = best->points(slowest).back();
    const double first = at_depth(*best, slowest, 1);
    return "With one read in flight the slowest 1 % by " + best->name + " take " + in_time(first) +
           " or longer, and with " + in_digits(last.x) + " " + in_time(last.y.middle) +
           (last.y.middle > first ? ": what waits in a queue is late." : ".");
}

std::string cost_words(const std::vector<way_seen>& all) {
    const way_seen* cheapest = nullptr;
    const way_seen* dearest = nullptr;
    const auto cost = [](const way_seen& of) { return of.points(cpu).back().y.middle; };
    for (const way_seen& each : all) {
        if (each.by_depth.empty()) continue;
        if (cheapest == nullptr || cost(each) < cost(*cheapest)) cheapest = &each;
        if (dearest == nullptr || cost(each) > cost(*dearest)) dearest = &each;
    }
    if (cheapest == nullptr) return {};
    return "With " + in_digits(cheapest->points(cpu).back().x) + " in flight a read costs " +
           in_time(cost(*cheapest)) + " of processor time by " + cheapest->name + " and " +
           in_time(cost(*dearest)) + " by " + dearest->name + ".";
}

std::uint64_t bytes_to_use(const lab_run& run, findings& found) {
    const auto wanted = run.choose<std::uint64_t>(64, 512) * mebibyte;
    std::uint64_t bytes = run.is_a_trial() ? least_bytes : wanted;
    const std::uint64_t room = room_in(run.settings().directory);
    if (room / 2 < bytes) {
        bytes = std::max(least_bytes, room / 2 / mebibyte * mebibyte);
        found.notes.push_back("The file has " + in_bytes(static_cast<double>(bytes)) +
                              ": there are " + in_bytes(static_cast<double>(room)) + " free in '" +
                              run.settings().directory + "'.");
    }
    return bytes;
}

/// One round.
void measure_reads(lab_run& run, findings& found, std::vector<way_seen>& all, const read_plan& like,
                   const std::vector<unsigned>& depths) {
    const std::string kind = like.direct ? ", direct" : ", cached";
    for (const unsigned depth : depths)
        for (way_seen& each : all) {
            if (!each.failure.empty()) continue;
            read_plan plan = like;
            plan.way = each.name;
            plan.depth = depth;
            const auto seen = run.measure(each.name + kind + ", " + std::to_string(depth),
                                          [&] { return read_blocks(plan).as_samples(); });
            if (!seen) {
                each.failure = seen.error();
                lab_run::leave_out(found, each.name + kind, each.failure);
                continue;
            }
            auto& values = each.by_depth[depth];
            for (std::size_t at = 0; at < values.size(); ++at)
                values.at(at).push_back(seen->at(at));
        }
}

/// By method, in the order of `names`.
struct durable_seen {
    std::vector<std::string> names;
    std::map<std::string, std::vector<double>> medians;
    std::map<std::string, std::vector<double>> tails;
};

/// One round.
void measure_durable(lab_run& run, findings& found, int file, durable_seen& all) {
    constexpr unsigned blocks = 256;
    for (const std::string& name : durable_methods()) {
        const auto needs = lacks(upcall::kernel_interface::uring);
        if (needs && name == "io_uring link") {
            lab_run::leave_out(found, name, *needs);
            continue;
        }
        const auto times = run.measure("durable, " + name, [&] {
            return write_durably(name, file, blocks, run.seconds(0.12, 0.6));
        });
        if (!times) {
            lab_run::leave_out(found, name, times.error());
            continue;
        }
        if (std::ranges::find(all.names, name) == all.names.end()) all.names.push_back(name);
        all.medians[name].push_back(quantile(*times, 0.5));
        all.tails[name].push_back(quantile(*times, 0.99));
    }
}

void draw_durable(findings& found, durable_seen& all) {
    auto& [names, medians, tails] = all;
    if (names.empty()) return;
    chart made;
    made.name = "durable_writes";
    made.title = "One write of 4 KiB made durable";
    made.kind = chart_kind::bars;
    made.y_label = "time until it is durable, ns";
    made.x_label = "method";
    made.categories = names;
    made.all = {{.name = "median", .points = {}, .is_model = false},
                {.name = "99th percentile", .points = {}, .is_model = false}};
    std::string cheapest = names.front();
    std::string dearest = names.front();
    const auto cost = [&](const std::string& of) { return spread_of(medians[of]).middle; };
    for (std::size_t at = 0; at < names.size(); ++at) {
        made.all[0].points.push_back({static_cast<double>(at), spread_of(medians[names[at]])});
        made.all[1].points.push_back({static_cast<double>(at), spread_of(tails[names[at]])});
        if (cost(names[at]) < cost(cheapest)) cheapest = names[at];
        if (cost(names[at]) > cost(dearest)) dearest = names[at];
    }
    made.sentence = "A durable write takes " + in_time(cost(cheapest)) + " by " + cheapest +
                    " and " + in_time(cost(dearest)) + " by " + dearest + ".";
    found.charts.push_back(std::move(made));
}

}  // namespace

void measure_storage(lab_run& run, findings& found) {
    found.question =
        "Random reads of 4 KiB from a file: how many a second, how late the slowest, and at what "
        "cost, by interface and by how many are in flight?";
    const std::uint64_t bytes = bytes_to_use(run, found);
    const owned_fd file = filled_file(run.settings().directory, bytes);
    std::vector<way_seen> direct;
    for (const std::string& each : storage_ways(found)) direct.push_back({.name = each});
    std::vector<way_seen> cached = direct;

    std::vector<unsigned> depths = {1, 4, 16, 64};
    std::vector<unsigned> cached_depths = {1, 16};
    if (!run.quick()) {
        depths = {1, 2, 4, 8, 16, 32, 64, 128};
        cached_depths = {1, 4, 16, 64};
    }
    if (run.is_a_trial()) depths = {1, 4};
    const std::size_t rounds = run.rounds(2, 5);
    const double seconds = run.seconds(0.08, 0.25);
    run.expect_steps(rounds * (direct.size() * (depths.size() + cached_depths.size()) +
                               durable_methods().size()));
    read_plan plan{.way = {},
                   .file = -1,
                   .direct = true,
                   .blocks = bytes / block_bytes,
                   .depth = 1,
                   .seconds = seconds};
    owned_fd past_cache;
    try {
        past_cache = open_again(file.get(), O_RDONLY | O_DIRECT);
    } catch (const lab_error& error) {
        lab_run::leave_out(found, "direct reads (O_DIRECT)", error.what());
    }
    const owned_fd through_cache = open_again(file.get(), O_RDONLY);
    durable_seen durable;
    for (std::size_t round = 0; run.another_round(round, rounds); ++round) {
        if (past_cache.get() >= 0) {
            plan.file = past_cache.get();
            plan.direct = true;
            measure_reads(run, found, direct, plan, depths);
        }
        plan.file = through_cache.get();
        plan.direct = false;
        measure_reads(run, found, cached, plan, cached_depths);
        measure_durable(run, found, file.get(), durable);
    }

    if (fastest(direct) != nullptr) {
        chart speed =
            chart_of(direct, rate, "direct_rate", "Direct reads: throughput", "reads a second");
        speed.sentence = limit_words(direct);
        chart late = chart_of(direct, slowest, "direct_latency",
                              "Direct reads: latency, 99th percentile", "latency, ns");
        late.sentence = latency_words(direct);
        chart middle = chart_of(direct, median, "direct_latency_median",
                                "Direct reads: latency, median", "latency, ns");
        middle.sentence = "Half of the reads by " + fastest(direct)->name + " take less than " +
                          in_time(at_depth(*fastest(direct), median, 1)) + " with one in flight.";
        chart cost = chart_of(direct, cpu, "direct_cpu", "Direct reads: processor time",
                              "processor time a read, ns");
        cost.sentence = cost_words(direct);
        for (chart* each : {&speed, &middle, &late, &cost})
            found.charts.push_back(std::move(*each));
    }
    chart speed =
        chart_of(cached, rate, "cached_rate", "Cached reads: throughput", "reads a second");
    speed.sentence = cached_words(cached);
    found.charts.push_back(std::move(speed));
    draw_durable(found, durable);
    found.notes.emplace_back(
        "glibc gives a descriptor one thread, so POSIX AIO reads a file one block at a time, "
        "however many are in flight.");
    found.notes.emplace_back(
        "A virtual disk may answer from the memory of its host, and its syncing may promise less "
        "than a disk's.");
}

}  // namespace upcall_lab
