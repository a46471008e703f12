#include <upcall/sim/world.hpp>

#include <algorithm>
#include <utility>
#include <vector>

#include <upcall/base/fatal.hpp>

#include "computer.hpp"
#include "faults.hpp"
#include "history.hpp"

namespace upcall::sim {

class world::inside {
  public:
    inside(const world_options& asked, upcall::choices chosen)
        : options(with_faults_drawn(asked, chosen)),
          kernel(options.kernel, std::move(chosen)),
          start(kernel.now()),
          seen(options.trace_lines) {
        kernel.trace(
            [](void* argument, const sim_event& outcome) noexcept {
                static_cast<history*>(argument)->add(outcome);
            },
            &seen);
        kernel.on_stall(
            [](void* argument) noexcept {
                auto& self = *static_cast<inside*>(argument);
                self.stalled = true;
                self.kernel.interrupt();
            },
            this);
    }

    computer* find(std::string_view name) const {
        const auto place =
            std::ranges::find_if(computers, [&](const auto& one) { return one->name() == name; });
        return place == computers.end() ? nullptr : place->get();
    }
    computer& named(std::string_view name) const {
        computer* const found_host = find(name);
        if (!found_host)
            fatal("there is no host \"%.*s\" in this world", static_cast<int>(name.size()),
                  name.data());
        return *found_host;
    }

    void add(std::string name, program main, bool serves) {
        if (started) fatal("host \"%s\" is added to a world that runs already", name.c_str());
        if (find(name)) fatal("there is a host \"%s\" in this world already", name.c_str());
        computers.push_back(
            std::make_unique<computer>(kernel, std::move(name), std::move(main), serves));
    }

    void note(const computer& of, const char* what) { seen.add(kernel.now(), of.id(), what); }

    report run();
    void plan(duration when, std::function<void()> call);
    void fail_power(computer& of);
    bool allows(fault which) const noexcept {
        return (options.without & static_cast<std::uint32_t>(which)) == 0;
    }
    void repeat(const mishaps& how, fault which, std::function<void(duration)> happen);

    world_options options;
    sim_kernel kernel;
    time_point start;
    history seen;
    std::vector<std::unique_ptr<computer>> computers;
    bool started = false;
    bool stalled = false;
    bool calm = false;  // nothing goes wrong any more

  private:
    void step();
    void run_planned();
    void tend(computer& of);
    void look_at_limits();
    bool is_over() const;
    void stop_services();
    void end(ending how, std::string why) {
        if (!found.ok()) return;
        found.how = how;
        found.what = std::move(why);
    }
    std::string all_who_wait() const;

    report found;
    std::vector<std::function<void()>> due;
    std::vector<computer*> up;
    std::size_t planned = 0;  // calls that are not due yet
    std::uint64_t turns = 0;
};

// ---- what is planned ----------------------------------------------------------------------------

// The kernel calls from within some poll: there it is only noted down.
void world::inside::plan(duration when, std::function<void()> call) {
    const time_point moment = saturating_add(start, when);
    if (moment == never) return;
    ++planned;
    kernel.at(moment, [this, call = std::move(call)] {
        --planned;
        due.push_back(call);
    });
}

void world::inside::run_planned() {
    for (const auto& call : std::exchange(due, {})) call();
}

void world::inside::repeat(const mishaps& how, fault which, std::function<void(duration)> happen) {
    if (!allows(which)) return;
    for (auto times = kernel.chosen().below(how.most + 1); times > 0; --times) {
        const duration when = kernel.chosen().within(how.when);
        const duration lasts = kernel.chosen().within(how.lasts);
        plan((kernel.now() - start) + when, [this, happen, lasts] {
            if (!calm) happen(lasts);
        });
    }
}

void world::inside::fail_power(computer& of) {
    if (!kernel.is_on(of.id())) return;
    note(of, "-- the power fails --");
    kernel.power_off(of.id());
    of.cancel_from_inside();
}

// ---- running ------------------------------------------------------------------------------------

report world::inside::run() {
    if (std::exchange(started, true)) fatal("a world is run once");
    for (const auto& one : computers) one->start();
    kernel.all_are_run(true);
    while (found.ok() && !is_over()) step();
    if (found.how == ending::stalled || found.how == ending::limit) found.what += all_who_wait();
    for (const auto& one : computers) one->clear_away();
    std::vector<std::string> names{"-"};
    for (const auto& one : computers) names.push_back(one->name());
    found.seed = options.kernel.seed;
    found.time = kernel.now() - start;
    found.outcomes = kernel.outcomes();
    found.digest = kernel.digest();
    found.trace = seen.lines(start, names);
    const auto drawn = kernel.chosen().recorded();
    found.choices.assign(drawn.begin(), drawn.end());
    found.without = options.without;
    return found;
}

// Every host that is awake gets a turn; who begins is drawn. Time moves when the last of them falls
// asleep, or in the turn of one when all sleep.
void world::inside::step() {
    for (const auto& one : computers) tend(*one);
    if (!found.ok()) return;
    stop_services();
    up.clear();
    for (const auto& one : computers)
        if (one->runs()) up.push_back(one.get());
    if (up.empty() && due.empty() && !kernel.pass_time()) stalled = true;
    const auto first = static_cast<std::size_t>(kernel.chosen().below(up.size()));
    const bool all_sleep = std::ranges::all_of(
        up, [](const computer* one) { return one->is_lost() || one->sleeps(); });
    for (std::size_t at = 0; at < up.size() && due.empty() && !stalled; ++at) {
        computer& next = *up[(first + at) % up.size()];
        if (next.is_lost() || (next.sleeps() && !all_sleep)) continue;
        ++turns;
        next.turn();
        if (all_sleep) break;
    }
    run_planned();
    look_at_limits();
}

void world::inside::tend(computer& of) {
    if (of.is_lost()) {
        if (!of.clear_away())
            end(ending::limit, of.name() + " goes on though all of its operations have ended");
    } else if (of.runs() && of.is_done()) {
        if (const auto why = of.finish()) {
            found.error = why;
            std::string text = "an exception left " + of.name();
            try {
                std::rethrow_exception(why);
            } catch (const std::exception& known) {
                text += std::string(": ") + known.what();
            } catch (...) {
                text += ", of a type without a text";
            }
            end(ending::failed, std::move(text));
        }
    }
    if (of.restarts && !of.runs()) {
        note(of, "-- starts again --");
        of.start();
    }
}

void world::inside::look_at_limits() {
    if (std::exchange(stalled, false) && !is_over())
        end(ending::stalled, "nothing can happen any more");
    if (kernel.now() - start > options.limits.time) end(ending::limit, "the time is up");
    if (kernel.outcomes() > options.limits.outcomes) end(ending::limit, "too many outcomes");
    if (turns > options.limits.turns) end(ending::limit, "too many turns");
}

/// Hosts without power whom nothing planned can restart count as ended.
bool world::inside::is_over() const {
    return std::ranges::all_of(computers, [&](const auto& one) {
        return !one->runs() && !one->restarts && (one->has_ended() || planned + due.size() == 0);
    });
}

void world::inside::stop_services() {
    const bool needed = std::ranges::any_of(computers, [&](const auto& one) {
        if (one->serves() || one->has_ended()) return false;
        return one->runs() || one->restarts || planned + due.size() > 0;
    });
    if (needed) return;
    for (const auto& one : computers) one->stop();
}

std::string world::inside::all_who_wait() const {
    std::string text;
    for (const auto& one : computers)
        if (one->runs()) text += "; " + one->who_waits();
    return text;
}

// ---- the public face ----------------------------------------------------------------------------

namespace {

world_options with_seed(std::uint64_t seed) {
    world_options options;
    options.kernel.seed = seed;
    return options;
}

}  // namespace

world::world(std::uint64_t seed) : world(with_seed(seed)) {}
world::world(const world_options& options) : world(options, upcall::choices(options.kernel.seed)) {}
world::world(const world_options& options, upcall::choices chosen)
    : inside_(std::make_unique<inside>(options, std::move(chosen))) {}
world::~world() = default;

void world::host(std::string name, program main) {
    inside_->add(std::move(name), std::move(main), false);
}
void world::service(std::string name, program main) {
    inside_->add(std::move(name), std::move(main), true);
}

report world::run() { return inside_->run(); }

address world::address_of(std::string_view name, std::uint16_t port, address_family family) const {
    return inside_->kernel.address_of(inside_->named(name).id(), port, family);
}

duration world::elapsed() const noexcept { return inside_->kernel.now() - inside_->start; }
choices& world::chosen() noexcept { return inside_->kernel.chosen(); }
const sim_kernel& world::kernel() const noexcept { return inside_->kernel; }

void world::at(duration when, std::function<void()> call) { inside_->plan(when, std::move(call)); }

// ---- hosts --------------------------------------------------------------------------------------

void world::fail_power(std::string_view name) { inside_->fail_power(inside_->named(name)); }

void world::kill(std::string_view name) {
    computer& of = inside_->named(name);
    if (!of.runs() || of.is_lost()) return;
    inside_->note(of, "-- is killed --");
    of.kill();
    inside_->kernel.interrupt();
}

void world::restart(std::string_view name) {
    computer& of = inside_->named(name);
    if (of.runs() && !of.is_lost()) return;
    of.restarts = true;
    inside_->kernel.interrupt();
}

void world::fail_power_at(std::string_view name, std::uint64_t outcome, duration lasts) {
    computer& of = inside_->named(name);
    inside_->kernel.fail_at(of.id(), outcome, [this, &of, lasts, where = std::string(name)] {
        inside_->note(of, "-- the power fails --");
        at(elapsed() + lasts, [this, where] { restart(where); });
    });
}

std::uint64_t world::outcomes_of(std::string_view name) const {
    return inside_->kernel.outcomes(inside_->named(name).id());
}

unsigned world::starts_of(std::string_view name) const { return inside_->named(name).starts(); }

void world::fail_power_sometimes(std::string_view name, const mishaps& how) {
    inside_->repeat(how, fault::power, [this, name = std::string(name)](duration lasts) {
        fail_power(name);
        at(elapsed() + lasts, [this, name] { restart(name); });
    });
}

void world::kill_sometimes(std::string_view name, const mishaps& how) {
    inside_->repeat(how, fault::kills, [this, name = std::string(name)](duration lasts) {
        kill(name);
        at(elapsed() + lasts, [this, name] { restart(name); });
    });
}

// ---- lines --------------------------------------------------------------------------------------

void world::cut(std::string_view from, std::string_view to) {
    inside_->note(inside_->named(from), "-- a line is cut --");
    inside_->kernel.cut(inside_->named(from).id(), inside_->named(to).id());
}

void world::part(std::string_view one, std::string_view other) {
    cut(one, other);
    cut(other, one);
}

void world::mend(std::string_view one, std::string_view other) {
    inside_->note(inside_->named(one), "-- a line is mended --");
    inside_->kernel.mend(inside_->named(one).id(), inside_->named(other).id());
    inside_->kernel.mend(inside_->named(other).id(), inside_->named(one).id());
}

void world::isolate(std::string_view name) {
    for (const auto& other : inside_->computers)
        if (other->name() != name) part(name, other->name());
}

void world::rejoin(std::string_view name) {
    for (const auto& other : inside_->computers)
        if (other->name() != name) mend(name, other->name());
}

void world::end_faults() {
    inside_->calm = true;
    inside_->kernel.end_faults();
}

void world::part_sometimes(std::string_view one, std::string_view other, const mishaps& how) {
    inside_->repeat(how, fault::partitions,
                    [this, one = std::string(one), other = std::string(other)](duration lasts) {
                        part(one, other);
                        at(elapsed() + lasts, [this, one, other] { mend(one, other); });
                    });
}

}  // namespace upcall::sim
