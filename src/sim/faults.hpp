// Which faults a run has.
#pragma once

#include <upcall/sim/world.hpp>

namespace upcall::sim {

/// `asked` without what it switches off, and with `vary_faults` with rates drawn from `chosen`.
world_options with_faults_drawn(const world_options& asked, choices& chosen);

}  // namespace upcall::sim
