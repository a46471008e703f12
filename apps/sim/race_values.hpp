// Small contended programs about values that must not get lost.
#pragma once

#include <upcall/sim/world.hpp>

namespace upcall_sim {

upcall::sim::report late_values(upcall::sim::world& w);
upcall::sim::report closed_channel(upcall::sim::world& w);
upcall::sim::report cancelled_reads(upcall::sim::world& w);
upcall::sim::report cancelled_writes_to_files(upcall::sim::world& w);
upcall::sim::report cancelled_accepts(upcall::sim::world& w);

}  // namespace upcall_sim
