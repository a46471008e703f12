#include "lab/run.hpp"

#include <sched.h>
#include <signal.h>

#include <algorithm>
#include <cmath>
#include <upcall/driver/select.hpp>
#include <upcall/runtime/run.hpp>
#include <utility>

namespace upcall_lab {
namespace {

volatile sig_atomic_t interrupts = 0;
cpu_set_t cores_at_start;

void note_interrupt(int number) {
    interrupts = interrupts + 1;
    if (interrupts < 2) return;
    ::signal(number, SIG_DFL);
    ::raise(number);
}

}  // namespace

lab_run::lab_run(lab_settings settings, progress& shown)
    : settings_(std::move(settings)), progress_(&shown) {}

std::size_t lab_run::rounds(std::size_t quick, std::size_t full) const {
    const double wanted = static_cast<double>(choose(quick, full)) * std::min(1.0, settings_.time);
    return std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(wanted)));
}

std::expected<samples, std::string> lab_run::measure(const std::string& label,
                                                     const std::function<samples()>& what) {
    if (was_interrupted()) throw interrupted();
    progress_->step(label);
    auto found = in_child(what, {.seconds = 120, .is_over = [this] {
                                     progress_->tick();
                                     return was_interrupted();
                                 }});
    if (was_interrupted()) throw interrupted();
    return found;
}

samples lab_run::need(const std::string& label, const std::function<samples()>& what) {
    auto found = measure(label, what);
    if (!found) throw lab_error(label + ": " + found.error());
    return std::move(*found);
}

void lab_run::leave_out(findings& of, const std::string& what, const std::string& why) {
    const bool is_known =
        std::ranges::any_of(of.missing, [&](const left_out& each) { return each.what == what; });
    if (!is_known) of.missing.push_back({what, why});
}

std::optional<std::string> lacks(upcall::kernel_interface which) {
    const upcall::availability& seen = (*upcall::this_host())[which];
    if (seen.available) return std::nullopt;
    return seen.why;
}

std::optional<std::string> lacks_driver(const std::string& name) {
    const auto known = upcall::driver_names();
    if (std::ranges::find(known, name) == known.end()) return "this upcall has no such driver";
    upcall::driver_choice choice;
    choice.name = name;
    // In a process of its own: a driver may need threads, and this one forks.
    const auto tried = in_child(
        [&]() -> samples {
            const auto made = upcall::make_loop(choice);
            if (!made) throw lab_error(made.error().message());
            return {};
        },
        {.seconds = 20, .is_over = was_interrupted});
    if (tried) return std::nullopt;
    return tried.error();
}

void watch_for_interrupts() {
    struct sigaction noted{};
    noted.sa_handler = note_interrupt;
    ::sigaction(SIGINT, &noted, nullptr);
    ::sigaction(SIGTERM, &noted, nullptr);
}

bool was_interrupted() noexcept { return interrupts != 0; }

unsigned note_cores() {
    static const int count = []() -> int {
        CPU_ZERO(&cores_at_start);
        if (::sched_getaffinity(0, sizeof cores_at_start, &cores_at_start) != 0) return 1;
        return CPU_COUNT(&cores_at_start);
    }();
    return static_cast<unsigned>(std::max(1, count));
}

void settle_on_core(unsigned index) {
    const unsigned cores = note_cores();
    if (cores < 2) return;
    unsigned passed = 0;
    for (unsigned core = 0; core < CPU_SETSIZE; ++core) {
        if (!CPU_ISSET(core, &cores_at_start) || passed++ != index % cores) continue;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(core, &one);
        ::sched_setaffinity(0, sizeof one, &one);
        return;
    }
}

}  // namespace upcall_lab
