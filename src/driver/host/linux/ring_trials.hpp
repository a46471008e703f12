// The functional trials: small exchanges that show whether a ring does what it promises.
#pragma once

#include <upcall/driver/host_ring.hpp>

#include "driver/host/linux/trial_ring.hpp"

namespace upcall::host_probe {

/// Runs one trial on an enabled ring. Each takes all completions it caused, unless it fails.
/// ring_test::enable enables the ring. Allocates nothing.
ring_test_result run_trial(ring_test which, trial_ring& ring, ring_facts& report) noexcept;

}  // namespace upcall::host_probe
