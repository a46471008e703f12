// Small contended programs about locks, wake-ups and scopes.
#pragma once

#include <upcall/sim/world.hpp>

namespace upcall_sim {

upcall::sim::report counter(upcall::sim::world& w);
upcall::sim::report permits(upcall::sim::world& w);
upcall::sim::report wake_ups(upcall::sim::world& w);
upcall::sim::report two_locks(upcall::sim::world& w);
upcall::sim::report children(upcall::sim::world& w);

}  // namespace upcall_sim
