// What an experiment has at hand while it runs: how much time there is, where files may go, and
// measuring in processes of their own.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <upcall/driver/host.hpp>
#include <vector>

#include "lab/child.hpp"
#include "lab/findings.hpp"
#include "lab/progress.hpp"
#include "lab/round_budget.hpp"

namespace upcall_lab {

/// Thrown where the user has asked to end.
struct interrupted {};

struct lab_settings {
    bool quick = false;
    /// Every measured time is multiplied by this.
    double time = 1;
    /// Where files of the experiments go; they have no name there.
    std::string directory;
};

class lab_run {
  public:
    lab_run(lab_settings settings, progress& shown);

    const lab_settings& settings() const noexcept { return settings_; }
    bool quick() const noexcept { return settings_.quick; }
    template <class T>
    T choose(T quick, T full) const {
        return settings_.quick ? quick : full;
    }
    /// Seconds of one measurement.
    double seconds(double quick, double full) const { return choose(quick, full) * settings_.time; }
    /// How often each is repeated: fewer when time was cut.
    std::size_t rounds(std::size_t quick, std::size_t full) const;

    /// Whether there is so little time that only the form of the results can be right.
    bool is_a_trial() const { return settings_.time < 0.1; }

    /// An experiment begins that may take so many seconds.
    void begin(double seconds) {
        begun_ = std::chrono::steady_clock::now();
        budget_ = round_budget(seconds);
    }
    /// Whether there is another round of it; the first is number 0. See round_budget.
    bool another_round(std::size_t round, std::size_t wanted) {
        const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begun_;
        return budget_.allows(round, wanted, passed.count());
    }
    const round_budget& budget() const noexcept { return budget_; }

    /// How many calls of `measure` will follow.
    void expect_steps(std::size_t steps) { progress_->expect_steps(steps); }
    /// See in_child. Throws `interrupted`; every other end is for the caller.
    std::expected<samples, std::string> measure(const std::string& label,
                                                const std::function<samples()>& what);
    /// As `measure`, where there is no going on without: throws lab_error.
    samples need(const std::string& label, const std::function<samples()>& what);

    /// Notes once what is left out of an experiment.
    static void leave_out(findings& of, const std::string& what, const std::string& why);

  private:
    lab_settings settings_;
    progress* progress_;
    std::chrono::steady_clock::time_point begun_{};
    round_budget budget_;
};

/// Why this host does not have an interface; nothing if it does.
std::optional<std::string> lacks(upcall::kernel_interface which);
/// Why upcall has no such driver here; nothing if it can be made.
std::optional<std::string> lacks_driver(const std::string& name);

/// SIGINT and SIGTERM from now on are noted here; the second one ends the process.
void watch_for_interrupts();
bool was_interrupted() noexcept;

/// How many cores this process may use, as when it was first asked: before anything settles.
unsigned note_cores();
/// Core for what is measured, and core for what loads it: different ones where there are two.
constexpr unsigned measured_core = 1;
constexpr unsigned loading_core = 0;
void settle_on_core(unsigned index);

}  // namespace upcall_lab
