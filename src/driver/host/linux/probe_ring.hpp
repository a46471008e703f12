// Finds out what io_uring does on this host, from the cheapest question to a working exchange.
#pragma once

#include <upcall/driver/host_ring.hpp>

namespace upcall::host_probe {

/// Fills in `report`. Allocates nothing and calls nothing but the kernel (see trial_ring). Where
/// the calling process is ended by a seccomp filter, what was found until then stands in `report`.
void probe_ring(ring_facts& report) noexcept;

}  // namespace upcall::host_probe
