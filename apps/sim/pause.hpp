// What the small contended programs do between their steps.
#pragma once

#include <chrono>

#include <upcall/sim/world.hpp>
#include <upcall/task/sleep.hpp>

namespace upcall_sim {

/// Some microseconds, fewer than `most`.
inline upcall::task<> pause(upcall::sim::world& w, unsigned most) {
    co_await upcall::sleep(std::chrono::microseconds(w.chosen().below(most)));
}

}  // namespace upcall_sim
