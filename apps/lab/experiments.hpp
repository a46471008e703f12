// The experiments, in the order in which they are run.
#pragma once

#include <span>

#include "lab/findings.hpp"
#include "lab/run.hpp"

namespace upcall_lab {

struct experiment {
    const char* name;
    const char* title;
    /// How long it takes, as planned: the progress bar begins with that. Repetitions end when its
    /// share of the whole is used up. All of them together stay under one minute, and under ten.
    double seconds_quick;
    double seconds_full;
    /// Fills in everything but name, title and seconds. Throws lab_error.
    void (*run)(lab_run&, findings&);
};

std::span<const experiment> all_experiments();

void measure_threads(lab_run& run, findings& found);
void measure_storage(lab_run& run, findings& found);
void measure_reordering(lab_run& run, findings& found);
void measure_head_of_line(lab_run& run, findings& found);
void measure_cancel_races(lab_run& run, findings& found);
void measure_connections(lab_run& run, findings& found);
void measure_batching(lab_run& run, findings& found);
void measure_readiness(lab_run& run, findings& found);

}  // namespace upcall_lab
