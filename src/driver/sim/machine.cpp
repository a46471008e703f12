#include "machine.hpp"

#include <algorithm>
#include <utility>

#include <upcall/op/context.hpp>

#include "driver.hpp"

namespace upcall::sim {
namespace {

constexpr std::uint32_t ties = 256;

// One step of a hash in the manner of FNV-1a, over whole words.
std::uint64_t mixed(std::uint64_t hash, std::uint64_t word) noexcept {
    hash = (hash ^ word) * 0x100000001b3U;
    return hash ^ (hash >> 29);
}

}  // namespace

machine::machine(const sim_options& chosen_options, choices chosen)
    : options(chosen_options), choice(std::move(chosen)) {
    add_node();
}

// ---- time and events ----------------------------------------------------------------------------

void machine::plan(time_point when, std::shared_ptr<event_target> target, std::uint32_t what,
                   std::uint64_t argument) {
    if (when == never) return;  // the queue says so when it is empty
    const auto tie = static_cast<std::uint32_t>(choice.below(ties));
    events_.push({when, tie, what, 0, argument, std::move(target)});
}

void machine::fire_due() {
    while (events_.next() <= now_) {
        const event due = events_.pop();
        due.target->fire(due.what, due.argument);
    }
}

// ---- loops --------------------------------------------------------------------------------------

void machine::attach(sim_driver& driver) { drivers_.push_back(&driver); }

void machine::detach(sim_driver& driver) noexcept {
    std::erase(drivers_, &driver);
    if (last_sleeper_ == &driver) last_sleeper_ = nullptr;
}

void machine::polls(const sim_driver& driver) noexcept {
    if (last_sleeper_ != &driver) last_sleeper_ = nullptr;
    alone_ = !all_are_run_ && last_sleeper_ == &driver;
}

bool machine::falls_asleep(const sim_driver& driver) noexcept {
    last_sleeper_ = &driver;
    return alone_ || std::ranges::all_of(drivers_, [&](const sim_driver* one) {
               return one == &driver || one->is_asleep();
           });
}

// Of those that are being run.
bool machine::nobody_is_up(const sim_driver& driver) const noexcept {
    if (alone_) return driver.is_asleep();
    return std::ranges::all_of(drivers_, [](const sim_driver* one) { return one->is_asleep(); });
}

time_point machine::next_stop(const sim_driver& driver) const noexcept {
    time_point stop = std::min(events_.next(), driver.sleeps_until());
    if (alone_) return stop;
    for (const sim_driver* one : drivers_) stop = std::min(stop, one->sleeps_until());
    return stop;
}

void machine::advance(const sim_driver& driver) {
    if (!nobody_is_up(driver)) return;  // somebody was woken meanwhile
    const time_point stop = next_stop(driver);
    if (stop == never) {
        if (stalled) return stalled(stalled_argument);
        return sleep_until_woken(driver);
    }
    now_ = std::max(now_, stop);
    fire_due();
    for (sim_driver* one : drivers_)
        if (one->sleeps_until() <= now_) one->deadline_passed();
}

bool machine::pass_time() {
    if (events_.empty()) return false;
    now_ = std::max(now_, events_.next());
    fire_due();
    return true;
}

// Only another thread can change anything now. It marks a driver as woken before it takes the lock
// in `woken`: either the mark is seen here, or the notice comes.
void machine::sleep_until_woken(const sim_driver& driver) {
    std::unique_lock lock(sleep_);
    awoken_.wait(lock, [&] { return !nobody_is_up(driver); });
}

void machine::woken() noexcept {
    const std::scoped_lock lock(sleep_);
    awoken_.notify_all();
}

// ---- computers ----------------------------------------------------------------------------------

node& machine::add_node() {
    const auto number = static_cast<std::uint32_t>(nodes_.size());
    return *nodes_.emplace_back(std::make_unique<node>(*this, number));
}

node* machine::owner_of(const node& from, const address& where) noexcept {
    for (const auto& one : nodes_)
        if (one->number() == from.number() && one->owns(where)) return one.get();
    for (const auto& one : nodes_)
        if (one->number() != 0 && where.octets() == one->name_of(where.family(), 0).octets())
            return one.get();
    return nullptr;
}

bool machine::reaches(const node& from, const node& to) const {
    return from.is_on() && to.is_on() && lines.open({from.number(), to.number()});
}

void machine::cut(const node& from, const node& to) {
    lines.cut({from.number(), to.number()});
    to.for_each_object([&](object& one) { one.hear_no_more(from); });
    from.for_each_object([&](object& one) { one.hear_no_more(to); });
}

void machine::mend(const node& from, const node& to) {
    if (!lines.mend({from.number(), to.number()})) return;
    to.for_each_object([&](object& one) { one.hear_again(from); });
}

void machine::end_faults() {
    options.faults = {};
    for (const auto& from : nodes_)
        for (const auto& to : nodes_) mend(*from, *to);
}

void machine::end_program(node& which, bool kernel_too) {
    for (sim_driver* one : std::vector(drivers_))
        if (&one->here() == &which) one->lose_program();
    if (!kernel_too) return which.close_all();
    which.power_off();
    for (const auto& other : nodes_)
        other->for_each_object([&](object& one) { one.hear_no_more(which); });
}

bool machine::fails_now(node& which) {
    if (!which.counts_to_failure()) return false;
    end_program(which, true);
    which.tell_of_failure();
    return true;
}

void machine::power_on(node& which) {
    which.power_on();
    for (const auto& other : nodes_)
        other->for_each_object([&](object& one) { one.hear_again(which); });
}

std::vector<sim_waiting> machine::waiting(const node& which) const {
    std::vector<sim_waiting> all;
    for (sim_driver* one : drivers_)
        if (&one->here() == &which)
            one->in_flight().for_each([&](request& made) {
                all.push_back({made.op->owner ? made.op->owner->name() : "", made.op->kind});
            });
    return all;
}

std::size_t machine::descriptors() const noexcept {
    std::size_t all = 0;
    for (const auto& one : nodes_) all += one->descriptors();
    return all;
}

// ---- what is observed ---------------------------------------------------------------------------

void machine::note(const sim_event& outcome) noexcept {
    ++outcomes_;
    digest_ = mixed(digest_, static_cast<std::uint64_t>(outcome.at.time_since_epoch().count()));
    digest_ = mixed(digest_, outcome.operation);
    digest_ = mixed(digest_, static_cast<std::uint64_t>(outcome.host));
    digest_ = mixed(digest_, static_cast<std::uint64_t>(outcome.kind) * 2 + outcome.last);
    digest_ = mixed(digest_, static_cast<std::uint64_t>(outcome.result));
    if (tracer) tracer(tracer_argument, outcome);
}

}  // namespace upcall::sim
