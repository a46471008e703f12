// Connections: memory for each, and latency at a fixed load, from one to thousands, by interface.
#include <algorithm>
#include <upcall/driver/select.hpp>
#include <vector>

#include "lab/experiments.hpp"
#include "lab/load.hpp"
#include "lab/server_seen.hpp"
#include "lab/statistics.hpp"
#include "lab/words.hpp"

namespace upcall_lab {
namespace {

std::vector<server_seen> servers_here(const lab_run& run, findings& found) {
    std::vector<server_seen> all;
    std::string best;
    for (const std::string& driver : upcall::driver_names()) {
        const std::string name = "upcall on " + driver;
        if (const auto why = lacks_driver(driver)) {
            lab_run::leave_out(found, name, *why);
            continue;
        }
        if (best.empty()) best = driver;
        all.push_back({.name = name, .server = driver});
    }
    all.push_back({.name = "threads", .server = threads_server});
    if (!run.quick() && !best.empty())
        all.push_back(
            {.name = "upcall on " + best + ", 4 processes", .server = best, .processes = 4});
    return all;
}

chart new_chart(const char* name, const char* title, const char* y_label) {
    chart made;
    made.name = name;
    made.title = title;
    made.x_label = "connections";
    made.y_label = y_label;
    made.log_x = made.log_y = true;
    return made;
}

/// "least with A (1 KiB) and most with B (20 KiB)".
std::string extremes(const std::vector<server_seen>& all, std::size_t kind, unsigned connections,
                     std::string (*in_words)(double)) {
    const server_seen* least = nullptr;
    const server_seen* most = nullptr;
    const auto value = [&](const server_seen& of) {
        return spread_of(of.by_connections.at(connections).at(kind)).middle;
    };
    for (const server_seen& each : all) {
        if (!each.by_connections.contains(connections)) continue;
        if (least == nullptr || value(each) < value(*least)) least = &each;
        if (most == nullptr || value(each) > value(*most)) most = &each;
    }
    if (least == nullptr) return "nothing was measured";
    return "least with " + least->name + " (" + in_words(value(*least)) + ") and most with " +
           most->name + " (" + in_words(value(*most)) + ")";
}

/// The largest number of connections that two servers, or the only one, have.
unsigned most_to_compare(const std::vector<server_seen>& all, const std::vector<unsigned>& sizes) {
    unsigned most = 1;
    for (const unsigned size : sizes) {
        const auto have = std::ranges::count_if(
            all, [&](const server_seen& each) { return each.by_connections.contains(size); });
        if (have >= 2 || (have == 1 && all.size() == 1)) most = size;
    }
    return most;
}

}  // namespace

void measure_connections(lab_run& run, findings& found) {
    const double messages_per_second = run.is_a_trial() ? 500 : 2000;
    found.question = "TCP connections over loopback, " + in_digits(messages_per_second) +
                     " messages a second in all, however many there are: what memory does each "
                     "take, and how late is an answer?";
    std::vector<server_seen> all = servers_here(run, found);
    std::vector<unsigned> sizes = {1, 100, 1000};
    if (!run.quick()) sizes = {1, 10, 100, 1000, 4000, 10000, 20000};
    if (run.is_a_trial()) sizes = {1, 20};
    for (unsigned& each : sizes) {
        const unsigned allowed = connections_allowed(each);
        if (allowed == each) continue;
        lab_run::leave_out(
            found, std::to_string(each) + " connections",
            "`ulimit -n` allows " + std::to_string(allowed) + ", which were measured instead");
        each = allowed;
    }
    sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
    constexpr unsigned most_of_one_process = 10000;
    const std::size_t rounds = run.rounds(2, 3);
    const double seconds = run.seconds(0.15, 0.5);
    run.expect_steps(rounds * sizes.size() * all.size());
    for (std::size_t round = 0; run.another_round(round, rounds); ++round)
        for (const unsigned connections : sizes)
            for (server_seen& each : all) {
                // What failed with fewer fails with more, too.
                if (each.has_failed || connections < each.processes ||
                    (each.processes == 1 && connections > most_of_one_process))
                    continue;
                const load_plan plan{.server = each.server,
                                     .over = transport::tcp,
                                     .connections = connections,
                                     .servers = each.processes,
                                     .warm_up_seconds = seconds / 4,
                                     .seconds = seconds,
                                     .works = false,
                                     .messages_per_second = messages_per_second};
                const auto seen = run.measure(each.name + ", " + std::to_string(connections),
                                              [&] { return load_server(plan).as_samples(); });
                if (!seen) {
                    each.has_failed = true;
                    lab_run::leave_out(
                        found,
                        each.name + " from " + std::to_string(connections) + " connections on",
                        seen.error());
                    continue;
                }
                each.add(connections, *seen);
            }
    std::erase_if(all, [](const server_seen& each) { return each.by_connections.empty(); });
    if (all.empty()) throw lab_error("no server could be measured");

    const unsigned many = most_to_compare(all, sizes);
    const std::string where = "With " + in_digits(many) + " connections ";
    chart room = chart_of(
        all, load_outcome::resident,
        new_chart("memory", "Resident memory of the server", "memory a connection, bytes"));
    room.sentence = where + "the server's memory for each is " +
                    extremes(all, load_outcome::resident, many, in_bytes) +
                    "; sockets in the kernel are not in that.";
    chart late = chart_of(all, load_outcome::slowest,
                          new_chart("latency", "Latency, 99th percentile", "latency, ns"));
    late.sentence = where + "the 99th percentile of the latency is " +
                    extremes(all, load_outcome::slowest, many, in_time) + ".";
    chart middle = chart_of(all, load_outcome::median,
                            new_chart("latency_median", "Latency, median", "latency, ns"));
    middle.sentence = where + "the median of the latency is " +
                      extremes(all, load_outcome::median, many, in_time) + ".";
    chart cost =
        chart_of(all, load_outcome::cpu,
                 new_chart("cpu", "Processor time of the server", "processor time a message, ns"));
    cost.sentence = where + "the processor time of a message is " +
                    extremes(all, load_outcome::cpu, many, in_time) + ".";
    for (chart* each : {&room, &late, &middle, &cost}) found.charts.push_back(std::move(*each));
    found.notes.emplace_back(
        "Latency counts from when a message was due, so that a late server cannot make its own "
        "measure shorter. With few connections the memory of the server itself is in the "
        "quotient.");
}

}  // namespace upcall_lab
