// What it costs to make one small write durable on a file system, measured instead of assumed.
//
//     const auto cost = co_await sync_cost_of("/var/lib/app");
//     std::printf("%s\n", cost.cheaper == sync_way::write_through ? "O_DSYNC" : "fdatasync");
//
// Which way is the cheaper depends on the disk, on its cache and on the file system, and differs by
// a factor of two in either direction.
#pragma once

#include <cstdint>
#include <string>

#include <upcall/base/clock.hpp>
#include <upcall/task/task.hpp>

namespace upcall {

/// How a write is made durable.
enum class sync_way : std::uint8_t {
    sync_after,     // write, then fdatasync(2)
    write_through,  // one write with O_DSYNC
};

struct sync_cost {
    /// The way to take; sync_after where nothing could be measured.
    sync_way cheaper = sync_way::sync_after;
    /// Whether the times below are there.
    bool measured = false;
    /// One append of 4 KiB: the median of a few.
    duration sync_after{};
    duration write_through{};
};

/// The cost on the file system that holds the directory `folder`. Measured when it is first asked
/// for: a file with a name that begins with ".upcall-" is created there, a few appends of 4 KiB are
/// timed in both ways in turn, and the file is removed. Today 5 of each, and no further ones after
/// 100 ms. From then on the process remembers it, by the device. In the simulated kernel nothing is
/// remembered from one to the next: a run depends on its seed alone. Where no file can be made, or
/// when it is cancelled, nothing is measured. Any loop.
task<sync_cost> sync_cost_of(std::string folder);

}  // namespace upcall
