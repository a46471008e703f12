// Why not threads: a thread for each connection against one loop, and the model of their costs.
#include <pthread.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <functional>
#include <upcall/os/thread.hpp>
#include <vector>

#include "lab/clocks.hpp"
#include "lab/experiments.hpp"
#include "lab/fit.hpp"
#include "lab/load.hpp"
#include "lab/server_seen.hpp"
#include "lab/statistics.hpp"
#include "lab/words.hpp"

namespace upcall_lab {
namespace {

using kind = load_outcome::kind;

// ---- one switch, measured by itself ---------------------------------------------------------

struct echo_ends {
    int from = -1;
    int to = -1;
};

void bounce(void* argument) noexcept {
    const auto& ends = *static_cast<echo_ends*>(argument);
    for (char each = 0; ::read(ends.from, &each, 1) == 1;)
        if (::write(ends.to, &each, 1) != 1) return;
}

/// Two threads on one core pass a byte to and fro; what the same calls cost without anybody to
/// switch to is taken off. Nanoseconds of one switch.
samples one_switch(double seconds) {
    settle_on_core(measured_core);
    std::array<int, 2> there{};
    std::array<int, 2> back{};
    if (::pipe(there.data()) != 0 || ::pipe(back.data()) != 0)
        throw lab_error(failed("open a pipe", errno));
    const auto rounds = [&](const std::function<bool()>& one) {
        double count = 0;
        const double start = now_ns();
        const double before = cpu_ns();  // what others do on this core meanwhile is not in that
        do {
            for (int at = 0; at < 64; ++at)
                if (!one()) throw lab_error("a pipe was cut");
            count += 64;
        } while (now_ns() < start + seconds * 1e9);
        return (cpu_ns() - before) / count;
    };
    char byte = 'x';
    const double calls =
        rounds([&] { return ::write(there[1], &byte, 1) == 1 && ::read(there[0], &byte, 1) == 1; });
    echo_ends ends{.from = there[0], .to = back[1]};
    auto other = upcall::os_thread::start(bounce, &ends, {.name = "bounce", .stack_bytes = 0});
    if (!other) throw lab_error("no thread could be started: " + other.error().message());
    double passing = 0;
    try {
        passing = rounds(
            [&] { return ::write(there[1], &byte, 1) == 1 && ::read(back[0], &byte, 1) == 1; });
    } catch (const lab_error&) {
        ::close(there[1]);
        other->join();
        throw;
    }
    ::close(there[1]);
    other->join();
    return {(passing - 2 * calls) / 2};
}

// ---- what is drawn --------------------------------------------------------------------------

chart new_chart(const char* name, const char* title, const char* y_label) {
    chart made;
    made.name = name;
    made.title = title;
    made.x_label = "connections, k";
    made.y_label = y_label;
    made.log_x = made.log_y = true;
    return made;
}

series model_of(const std::string& name, const std::vector<point>& like,
                const std::function<double(double)>& model) {
    series made{.name = name, .points = {}, .is_model = true};
    for (const point& each : like) {
        const double y = model(each.x);
        made.points.push_back({each.x, {y, y, y, 1}});
    }
    return made;
}

const server_seen* find(const std::vector<server_seen>& all, const std::string& name) {
    for (const server_seen& each : all)
        if (each.name == name && !each.by_connections.empty()) return &each;
    return nullptr;
}

/// The price of threads, round by round.
std::vector<point> measured_ratios(const server_seen& threads, const server_seen& loop) {
    std::vector<point> made;
    for (const auto& [connections, values] : threads.by_connections) {
        const auto other = loop.by_connections.find(connections);
        if (other == loop.by_connections.end()) continue;
        made.push_back({static_cast<double>(connections),
                        ratio_of_pairs(values.at(kind::cpu), other->second.at(kind::cpu))});
    }
    return made;
}

void note_model(findings& found, const cost_model& model, const std::vector<point>& threads,
                const std::vector<point>& loop, const std::vector<point>& ratios,
                double switch_ns) {
    found.numbers.push_back({"t0", model.t0, "ns", "t0: the work of one message (fitted)"});
    found.numbers.push_back({"s", model.s, "ns", "s: one switch (fitted)"});
    found.numbers.push_back(
        {"s_measured", switch_ns, "ns",
         "s: one switch, measured by itself: two threads on one core pass a byte to and fro"});
    found.numbers.push_back({"l", model.l, "ns", "l: the best a warm cache brings (fitted)"});
    const double k = ratios.back().x;
    found.numbers.push_back({"ratio_predicted", model.ratio(k), "",
                             "R(k) predicted at " + in_digits(k) + " connections"});
    found.numbers.push_back({"ratio_measured", ratios.back().y.middle, "",
                             "R(k) measured at " + in_digits(k) + " connections"});
    const misfit of_threads = worst_misfit(threads, [&](double at) { return model.threads(at); });
    const misfit of_loop = worst_misfit(loop, [&](double) { return model.loop(); });
    const auto connections = [](double count) {
        return counted(count, "connection", "connections");
    };
    found.notes.push_back("With threads the model is worst at " + connections(of_threads.x) +
                          ": measured " + in_percent(of_threads.part) + " against it.");
    found.notes.push_back(
        "The model says that a loop costs the same at any k. Measured, it is farthest from that "
        "at " +
        connections(of_loop.x) + ", " + in_percent(of_loop.part) +
        ": one wait serves more messages the more connections there are, and none but one when "
        "there is one.");
    if (model.s <= 0 || model.l < 0 || model.t0 <= 0)
        found.notes.emplace_back(
            "A fitted parameter that cannot be negative is: the model does not describe this "
            "machine, and its parameters mean nothing here.");
    else if (switch_ns > 0 && (model.s > 1.5 * switch_ns || model.s < switch_ns / 1.5))
        found.notes.push_back("The fitted switch is " + in_times(model.s / switch_ns) +
                              " the one measured by itself. What else threads cost (waking, "
                              "queues of the scheduler, colder caches) is in the fitted one, and "
                              "what the loop pays for waiting is taken off it.");
}

void fill_in(findings& found, const std::vector<server_seen>& all, double switch_ns) {
    chart speed =
        chart_of(all, kind::rate, new_chart("throughput", "Throughput", "messages a second"));
    chart times =
        chart_of(all, kind::cpu,
                 new_chart("cpu", "Processor time of the server", "processor time a message, ns"));
    chart turns =
        chart_of(all, kind::switching,
                 new_chart("switches", "Context switches of the server", "switches a message"));
    chart room = chart_of(
        all, kind::resident,
        new_chart("memory", "Resident memory of the server", "memory a connection, bytes"));
    chart price =
        new_chart("ratio", "The price of threads, R(k)", "processor time by threads / by the loop");
    const server_seen* const threads = find(all, threads_server);
    const server_seen* const loop = find(all, epoll_server);
    if (threads == nullptr || loop == nullptr) throw lab_error("threads or the loop did not run");
    const auto t_a = threads->points(kind::cpu);
    const auto t_b = loop->points(kind::cpu);
    const auto ratios = measured_ratios(*threads, *loop);
    if (ratios.empty()) throw lab_error("threads and the loop have no round in common");
    price.all.push_back({.name = "measured", .points = ratios, .is_model = false});
    if (const auto model = fit_cost_model(t_a, t_b)) {
        times.all.push_back(model_of("T_A: threads, by the model", t_a,
                                     [&](double k) { return model->threads(k); }));
        times.all.push_back(
            model_of("T_B: a loop, by the model", t_b, [&](double) { return model->loop(); }));
        price.all.push_back(
            model_of("by the model", ratios, [&](double k) { return model->ratio(k); }));
        note_model(found, *model, t_a, t_b, ratios, switch_ns);
    }
    const std::string k = counted(ratios.back().x, "connection", "connections");
    const auto last = [&](const server_seen& of, kind which) {
        return of.points(which).back().y.middle;
    };
    price.sentence = "At " + k + " a message costs " + in_times(ratios.back().y.middle) +
                     " as much processor time with a thread for each as with one loop; at " +
                     in_digits(ratios.front().x) + ", " + in_times(ratios.front().y.middle) + ".";
    speed.sentence = "At " + k + " threads answer " + in_digits(last(*threads, kind::rate)) +
                     " messages a second, a plain loop " + in_digits(last(*loop, kind::rate)) + ".";
    times.sentence = "At " + k + " a message costs " + in_time(last(*threads, kind::cpu)) +
                     " with threads and " + in_time(last(*loop, kind::cpu)) + " with a plain loop.";
    turns.sentence = "Threads switch " + in_digits(last(*threads, kind::switching)) +
                     " times a message at " + k + ", a plain loop " +
                     in_digits(last(*loop, kind::switching)) + " times.";
    room.sentence = "A connection costs " + in_bytes(last(*threads, kind::resident)) +
                    " with a thread and " + in_bytes(last(*loop, kind::resident)) +
                    " with a plain loop, at " + k +
                    "; the kernel's part, a stack of its own for "
                    "each thread, is not in that.";
    for (chart* each : {&price, &times, &speed, &turns, &room})
        found.charts.push_back(std::move(*each));
}

}  // namespace

void measure_threads(lab_run& run, findings& found) {
    found.question =
        "k connections send 64 bytes each and wait for their echo. What does a message cost when "
        "each connection has a thread, and when one loop serves all?";
    std::vector<server_seen> all;
    for (const std::string& name :
         {threads_server, epoll_server, std::string("uring"), std::string("epoll")}) {
        const bool is_ours = name != threads_server && name != epoll_server;
        const auto why = is_ours ? lacks_driver(name) : std::nullopt;
        if (why)
            lab_run::leave_out(found, "upcall on " + name, *why);
        else
            all.push_back({.name = (is_ours ? "upcall on " : "") + name, .server = name});
    }
    std::vector<unsigned> sizes = {1, 4, 16, 64, 256, 1000};
    if (!run.quick()) sizes.insert(sizes.end(), {4000, 10000});
    if (run.is_a_trial()) sizes = {1, 8};
    for (unsigned& each : sizes) {
        const unsigned allowed = connections_allowed(each);
        if (allowed == each) continue;
        lab_run::leave_out(
            found, std::to_string(each) + " connections",
            "`ulimit -n` allows " + std::to_string(allowed) + ", which were measured instead");
        each = allowed;
    }
    const std::size_t rounds = run.rounds(3, 5);
    const double seconds = run.seconds(0.08, 0.4);
    run.expect_steps(rounds * (sizes.size() * all.size() + 1));
    std::vector<double> switch_ns;
    for (std::size_t round = 0; run.another_round(round, rounds); ++round) {
        const samples alone =
            run.need("one switch", [&] { return one_switch(run.seconds(0.05, 0.2)); });
        switch_ns.insert(switch_ns.end(), alone.begin(), alone.end());
        for (const unsigned connections : sizes)
            for (server_seen& each : all) {
                const load_plan plan{.server = each.server,
                                     .over = transport::unix_socket,
                                     .connections = connections,
                                     .warm_up_seconds = seconds / 4,
                                     .seconds = seconds};
                const auto seen = run.measure(each.name + ", " + std::to_string(connections),
                                              [&] { return load_server(plan).as_samples(); });
                if (!seen) {
                    lab_run::leave_out(
                        found, each.name + " with " + std::to_string(connections) + " connections",
                        seen.error());
                    continue;
                }
                each.add(connections, *seen);
            }
    }
    fill_in(found, all, spread_of(switch_ns).middle);
    found.notes.emplace_back(
        "All servers do the same work for a message: look at 8 KiB of memory. The model is fitted "
        "to "
        "threads and the plain loop; upcall's loops are drawn beside them.");
}

}  // namespace upcall_lab
