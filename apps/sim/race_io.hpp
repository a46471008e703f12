// Small contended programs about streams and durable files.
#pragma once

#include <upcall/sim/world.hpp>

namespace upcall_sim {

upcall::sim::report kept_chunks(upcall::sim::world& w);
upcall::sim::report full_queue(upcall::sim::world& w);
upcall::sim::report durable_files(upcall::sim::world& w);

}  // namespace upcall_sim
