#include "machine.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "driver.hpp"

namespace upcall::sim {
namespace {

constexpr native_handle first_descriptor = 3;
constexpr std::uint32_t ties = 256;

// One step of a hash in the manner of FNV-1a, over whole words.
std::uint64_t mixed(std::uint64_t hash, std::uint64_t word) noexcept {
    hash = (hash ^ word) * 0x100000001b3U;
    return hash ^ (hash >> 29);
}

}  // namespace

machine::machine(const sim_options& chosen_options, choices chosen)
    : options(chosen_options), choice(std::move(chosen)), files(chosen_options.disk_bytes) {}

// ---- time and events ----------------------------------------------------------------------------

void machine::plan(time_point when, std::shared_ptr<event_target> target, std::uint32_t what,
                   std::uint64_t argument) {
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
    alone_ = last_sleeper_ == &driver;
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

// ---- descriptors --------------------------------------------------------------------------------

result<native_handle> machine::install(std::shared_ptr<object> made) {
    if (full()) return errno_failure(EMFILE);
    native_handle number = first_descriptor;
    if (!free_.empty()) {
        number = *free_.begin();
        free_.erase(free_.begin());
    } else if (!descriptors_.empty()) {
        number = descriptors_.rbegin()->first + 1;
    }
    descriptors_.emplace(number, std::move(made));
    return number;
}

std::shared_ptr<object> machine::find(native_handle native) const {
    const auto found = descriptors_.find(native);
    return found == descriptors_.end() ? nullptr : found->second;
}

void machine::replace(native_handle native, std::shared_ptr<object> by) {
    descriptors_.at(native) = std::move(by);
}

bool machine::close(native_handle native) {
    const auto found = descriptors_.find(native);
    if (found == descriptors_.end()) return false;
    const auto gone = std::move(found->second);
    descriptors_.erase(found);
    free_.insert(native);
    gone->close();
    return true;
}

// ---- what is observed ---------------------------------------------------------------------------

void machine::note(const sim_event& outcome) noexcept {
    ++outcomes_;
    digest_ = mixed(digest_, static_cast<std::uint64_t>(outcome.at.time_since_epoch().count()));
    digest_ = mixed(digest_, outcome.operation);
    digest_ = mixed(digest_, static_cast<std::uint64_t>(outcome.kind) * 2 + outcome.last);
    digest_ = mixed(digest_, static_cast<std::uint64_t>(outcome.result));
    if (tracer) tracer(tracer_argument, outcome);
}

}  // namespace upcall::sim
