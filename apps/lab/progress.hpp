// How far the laboratory is, and how long it will take: a bar on the terminal, nothing elsewhere.
#pragma once

#include <chrono>
#include <string>

namespace upcall_lab {

class progress {
  public:
    /// `seconds`: how long everything is planned to take.
    progress(bool is_shown, double seconds)
        : is_shown_(is_shown), planned_(seconds), begun_(clock::now()) {}
    progress(const progress&) = delete;
    progress& operator=(const progress&) = delete;
    ~progress() { wipe(); }

    /// An experiment that is planned to take so long, in so many steps, begins.
    void begin(const std::string& experiment, double seconds);
    void expect_steps(std::size_t steps) { steps_ = steps; }
    void step(const std::string& label);
    void end();

    /// Draws it again if a moment has passed.
    void tick();
    /// Takes the bar away, so that something else can be printed.
    void wipe();

    /// What is left, from what is planned and how long the planned took so far.
    double seconds_left() const;

  private:
    using clock = std::chrono::steady_clock;
    double planned_done() const;

    bool is_shown_;
    bool is_drawn_ = false;
    double planned_;
    clock::time_point begun_;
    clock::time_point drawn_{};
    double done_ = 0;
    double current_ = 0;
    std::size_t steps_ = 1;
    std::size_t step_ = 0;
    std::string experiment_;
    std::string label_;
};

}  // namespace upcall_lab
