// The race suite: the seed picks a program, and then how it runs.
#include <array>

#include "sim/race_io.hpp"
#include "sim/race_locks.hpp"
#include "sim/race_tasks.hpp"
#include "sim/race_values.hpp"
#include "sim/suites.hpp"

namespace upcall_sim {
namespace {

using namespace upcall;

sim::report run(sim::world& w) {
    constexpr std::array programs = {
        late_values,       closed_channel, cancelled_reads, cancelled_writes_to_files,
        cancelled_accepts, counter,        permits,         wake_ups,
        two_locks,         children,       sleeps,          clean_up,
        failing_child,     between_loops,  kept_chunks,     full_queue,
        durable_files,
    };
    return programs[static_cast<std::size_t>(w.chosen().below(programs.size()))](w);
}

}  // namespace

suite race_suite() {
    sim::world_options options;
    options.vary_faults = true;
    options.limits.turns = 300'000;  // they take thousands: what spins is found out soon
    options.kernel.faults.short_read = 200'000;
    options.kernel.faults.short_write = 200'000;
    options.kernel.faults.short_file_write = 200'000;
    options.kernel.faults.lost_connect = 50'000;
    options.kernel.faults.failed_sync = 300'000;
    return {"race",
            run,
            options,
            {probe::cancel_lost_to_value, probe::cancel_won, probe::lock_contended,
             probe::wait_timed_out, probe::buffers_ran_dry, probe::queue_overflowed,
             probe::writer_failed}};
}

const std::vector<suite>& all_suites() {
    static const std::vector<suite> all{race_suite(), system_suite()};
    return all;
}

}  // namespace upcall_sim
