// A log of numbers for several clients, with snapshots: what it has acknowledged is there after any
// power failure.
#pragma once

#include <array>
#include <functional>
#include <string>

#include <upcall/sim/world.hpp>
#include <upcall/upcall.hpp>

#include "sim/wire.hpp"

namespace upcall_sim {

inline constexpr std::uint16_t log_port = 7001;
inline constexpr std::uint32_t log_clients = 4;

/// The program. `on_failed_sync` is called whenever the disk has failed to sync; it outlives it.
upcall::task<> keep_log(const std::function<void()>& on_failed_sync);

/// What a client knows, and what it found wrong; lives longer than the client.
struct ledger {
    std::uint64_t acknowledged = 0;
    std::uint64_t asked = 0;
    std::string wrong;
};

/// Has `count` numbers kept, one after the other, however often the log goes away.
upcall::task<> use_log(upcall::address where, std::uint32_t client, std::uint32_t count,
                       ledger& kept);

}  // namespace upcall_sim
