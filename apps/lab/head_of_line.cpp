// Head of line: how late a timer is behind handlers that take their time, and behind handlers that
// give way.
#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <upcall/runtime/run.hpp>
#include <upcall/task/scope.hpp>
#include <upcall/task/sleep.hpp>
#include <vector>

#include "lab/clocks.hpp"
#include "lab/experiments.hpp"
#include "lab/statistics.hpp"
#include "lab/words.hpp"

namespace upcall_lab {
namespace {

constexpr double quantum_ns = 100e3;
constexpr auto timer_period = std::chrono::milliseconds(1);

struct mode {
    const char* name;
    bool gives_way;
    /// Whether the loop looks at its timers after each resumption.
    bool short_turns;
};
constexpr std::array modes = {mode{"run to completion", false, true},
                              mode{"gives way, the loop's own turns", true, false},
                              mode{"gives way every 100 µs", true, true}};

struct trial {
    double handler_ns = 0;
    bool gives_way = false;
    double until = 0;
    bool over = false;
    std::vector<double> lags;
};

/// Always has a next handler.
upcall::task<> handle(trial& now) {
    while (!now.over) {
        if (now.gives_way) {
            for (double left = now.handler_ns; left > 0; left -= quantum_ns) {
                spin_until(now_ns() + std::min(left, quantum_ns));
                co_await upcall::yield();
            }
        } else {
            spin_until(now_ns() + now.handler_ns);
            co_await upcall::yield();
        }
    }
}

upcall::task<> wait_for_timers(trial& now) {
    do {
        const double due =
            now_ns() +
            static_cast<double>(
                std::chrono::duration_cast<std::chrono::nanoseconds>(timer_period).count());
        const auto slept = co_await upcall::sleep(timer_period);
        if (!slept) break;
        now.lags.push_back(std::max(0.0, now_ns() - due));
    } while (now_ns() < now.until);
    now.over = true;
}

upcall::task<> run_trial(trial& now) {
    const auto body = [&](upcall::scope& both) -> upcall::task<> {
        both.spawn_now(handle(now), "handlers");
        both.spawn_now(wait_for_timers(now), "timer");
        co_return;
    };
    co_await upcall::with_scope(body);
}

/// Median and 99th percentile of the timer's lag.
samples measure_lag(const mode& how, double handler_ns, double seconds) {
    settle_on_core(measured_core);
    trial now{.handler_ns = handler_ns,
              .gives_way = how.gives_way,
              .until = now_ns() + seconds * 1e9,
              .over = false,
              .lags = {}};
    upcall::run_options options;
    options.handle_signals = false;
    if (how.short_turns) options.loop.limits.resumptions_per_turn = 1;
    if (upcall::run(run_trial(now), options) != 0) throw lab_error("upcall could not run");
    return {quantile(now.lags, 0.5), quantile(now.lags, 0.99)};
}

}  // namespace

void measure_head_of_line(lab_run& run, findings& found) {
    found.question =
        "A loop is never without a handler to run, and each takes a length of time. How late is a "
        "timer of 1 ms on the same loop?";
    std::vector<double> lengths = {10e3, 100e3, 1e6, 3e6, 10e6};
    if (!run.quick()) lengths = {10e3, 30e3, 100e3, 300e3, 1e6, 3e6, 10e6, 30e6};
    if (run.is_a_trial()) lengths = {10e3, 300e3};
    const std::size_t rounds = run.rounds(3, 7);
    run.expect_steps(rounds * lengths.size() * modes.size());
    constexpr double timers_at_least = 15;
    std::array<std::map<double, std::vector<double>>, modes.size()> medians;
    std::array<std::map<double, std::vector<double>>, modes.size()> tails;
    for (std::size_t round = 0; run.another_round(round, rounds); ++round)
        for (const double length : lengths)
            for (std::size_t at = 0; at < modes.size(); ++at) {
                const double seconds =
                    std::max(run.seconds(0.08, 0.3),
                             run.is_a_trial() ? 0 : timers_at_least * (length + 1e6) / 1e9);
                const samples lag =
                    run.need(std::string(modes.at(at).name) + ", " + in_time(length),
                             [&] { return measure_lag(modes.at(at), length, seconds); });
                medians.at(at)[length].push_back(lag.at(0));
                tails.at(at)[length].push_back(lag.at(1));
            }

    const auto new_chart = [](const char* name, const char* title) {
        chart made;
        made.name = name;
        made.title = title;
        made.x_label = "length of a handler, ms";
        made.y_label = "lag of the timer, ms";
        made.log_x = made.log_y = true;
        return made;
    };
    chart late = new_chart("lag", "How late the timer is, 99th percentile");
    chart middle = new_chart("lag_median", "How late the timer is, median");
    const auto in_ms = [](spread seen) {
        constexpr double ms = 1e6;
        return spread{seen.low / ms, seen.middle / ms, seen.high / ms, seen.samples};
    };
    for (std::size_t at = 0; at < modes.size(); ++at) {
        series slow{.name = modes.at(at).name, .points = {}, .is_model = false};
        series half = slow;
        for (const double length : lengths) {
            slow.points.push_back({length / 1e6, in_ms(spread_of(tails.at(at)[length]))});
            half.points.push_back({length / 1e6, in_ms(spread_of(medians.at(at)[length]))});
        }
        late.all.push_back(std::move(slow));
        middle.all.push_back(std::move(half));
    }
    series bound{.name = "model: the longest handler", .points = {}, .is_model = true};
    series quantum{.name = "model: the quantum", .points = {}, .is_model = true};
    for (const double length : lengths) {
        const double ms = length / 1e6;
        bound.points.push_back({ms, {ms, ms, ms, 1}});
        const double least = std::min(length, quantum_ns) / 1e6;
        quantum.points.push_back({ms, {least, least, least, 1}});
    }
    late.all.push_back(std::move(bound));
    late.all.push_back(std::move(quantum));

    const auto last_of = [&](const chart& in, std::size_t at) {
        return in_time(in.all.at(at).points.back().y.middle * 1e6);
    };
    const std::string longest = in_time(lengths.back());
    late.sentence = "Behind handlers of " + longest + " a timer is up to " + last_of(late, 0) +
                    " late (99th percentile) when they run to completion, and up to " +
                    last_of(late, 2) + " when they give way every 100 µs.";
    middle.sentence = "Half of the timers are at most " + last_of(middle, 0) +
                      " late behind "
                      "handlers of " +
                      longest + ", and " + last_of(middle, 2) + " behind those that give way.";
    const double own_limits = late.all.at(1).points.back().y.middle;
    const double one_each = late.all.at(2).points.back().y.middle;
    if (own_limits > 1.5 * one_each)
        found.notes.push_back(
            "The quantum alone does not bound the lag: with the limits that a loop has by itself "
            "it "
            "is " +
            in_time(own_limits * 1e6) +
            ". Giving way lets other ready tasks run; timers are looked at once a turn, and a turn "
            "that is never out of ready tasks lasts 500 µs.");
    found.notes.emplace_back(
        "The first and the last curve are of a loop that looks at its timers after each resumption "
        "(loop_limits, resumptions_per_turn = 1), as the models have it.");
    found.notes.emplace_back(
        "The models are bounds on one handler. The task that is never done is ready again before "
        "the loop looks at its timers, so up to two handlers come before the timer's task. A timer "
        "that the kernel or another program delays is later still, also with short handlers.");
    found.charts.push_back(std::move(late));
    found.charts.push_back(std::move(middle));
}

}  // namespace upcall_lab
