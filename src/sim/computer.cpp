#include "computer.hpp"

#include <mutex>
#include <set>
#include <source_location>
#include <utility>
#include <vector>

#include "driver/sim/driver.hpp"
#include "words.hpp"

namespace upcall::sim {
namespace {

// A program that tries again whatever the error would never end. It takes so many turns, and one
// more for each of its tasks.
constexpr std::size_t turns_to_end = 200;

// Called inside of its loop, as the main function of any program.
task<> call(const world::program& main) { co_await main(); }

bool has_task_below(context& at) noexcept {
    for (context* below = at.next_below(at, true); below; below = below->next_below(at, true))
        if (below->is_task()) return true;
    return false;
}

std::string in_a_row(const std::set<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
    return text.empty() ? "nothing" : text;
}

/// Small: a world has several, and many worlds are made.
loop_options options_of(sim_kernel& kernel) {
    loop_options options;
    options.buffers = {.small_count = 256, .large_count = 16};
    // Short turns: more ways to be interleaved, and what spins is soon found out.
    options.limits.resumptions_per_turn = 32;
    options.limits.inline_completions = 16;
    options.choose = [&kernel](std::size_t count) {
        return static_cast<std::size_t>(kernel.chosen().below(count));
    };
    return options;
}

}  // namespace

void computer::start() {
    if (!kernel_->is_on(id_)) kernel_->power_on(id_);
    killed_ = ended_ = stopping_ = restarts = false;
    ++starts_;
    home_ = loop::create(
                [this](const driver_environment& lent) -> result<std::unique_ptr<driver>> {
                    auto made = make_sim_driver(*kernel_, id_, lent);
                    via_ = static_cast<const sim_driver*>(made.get());
                    return made;
                },
                options_of(*kernel_))
                .value();
    running_ = std::make_unique<upcall::program>(*home_);
    // The world's script, or another host, may end any wait; what waits for ever is in its report.
    running_->on_deadlock({});
    // A place in here would say nothing to who reads of it.
    running_->tasks().spawn_now(call(main_), name_.c_str(), std::source_location{});
}

void computer::turn() { home_->turn(loop::wait::allowed); }

// A timer that others armed since it fell asleep gets it a turn, in which it sees to that.
bool computer::sleeps() const noexcept {
    return via_->sleeps() && home_->timers().next_deadline() >= via_->sleeps_until();
}

void computer::kill() {
    if (!runs() || is_lost()) return;
    killed_ = true;
    kernel_->kill(id_);
    cancel_from_inside();
}

// Otherwise what has no operation in the kernel, a sleep say, could still end well in this turn.
void computer::cancel_from_inside() {
    if (runs() && loop::current() == home_.get()) running_->tasks().cancel();
}

void computer::stop() {
    if (!runs() || std::exchange(stopping_, true)) return;
    running_->tasks().stop();
}

std::exception_ptr computer::finish() {
    const auto why = running_->tasks().exception();
    kernel_->all_are_run(false);  // it alone, for what it leaves behind
    running_.reset();
    home_.reset();
    kernel_->all_are_run(true);
    ended_ = true;
    return why;
}

bool computer::clear_away() {
    if (!runs()) return true;
    if (!is_lost()) kill();
    running_->tasks().cancel();
    std::size_t turns = turns_to_end;
    context& top = home_->root();
    for (context* at = top.next_below(top, true); at; at = at->next_below(top, true)) ++turns;
    for (; !is_done() && turns > 0; --turns) turn();
    if (!is_done()) {
        leak();
        return false;
    }
    running_.reset();
    home_.reset();
    return true;
}

// Frames that still run cannot be destroyed, nor what they stand on. A search for leaks finds them
// spoken for.
void computer::leak() {
    static std::mutex adding;
    static auto& leaked = *new std::vector<std::pair<upcall::program*, loop*>>;
    const std::scoped_lock lock(adding);
    leaked.emplace_back(running_.release(), home_.release());
}

std::string computer::who_waits() const {
    std::set<std::string> tasks;
    std::set<std::string> operations;
    context& top = home_->root();
    for (context* at = top.next_below(top, true); at; at = at->next_below(top, true))
        if (at->is_task() && !has_task_below(*at))
            tasks.insert('"' + std::string(at->name()) + '"');
    for (const sim_waiting& one : kernel_->waiting(id_)) operations.emplace(word_for(one.kind));
    const std::string text =
        "on " + name_ + " wait " + in_a_row(tasks) + ", in flight " + in_a_row(operations);
    const deadlock found = find_deadlock(*home_);
    return found.cycle.empty() ? text : text + ", in a circle " + found.circle();
}

}  // namespace upcall::sim
