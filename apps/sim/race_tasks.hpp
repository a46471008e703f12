// Small contended programs about what tasks, timers and loops promise each other.
#pragma once

#include <upcall/sim/world.hpp>

namespace upcall_sim {

upcall::sim::report sleeps(upcall::sim::world& w);
upcall::sim::report clean_up(upcall::sim::world& w);
upcall::sim::report failing_child(upcall::sim::world& w);
upcall::sim::report between_loops(upcall::sim::world& w);

}  // namespace upcall_sim
