// What came of the run of a simulated world.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <vector>

#include <upcall/base/clock.hpp>

namespace upcall::sim {

/// How a run ended.
enum class ending : std::uint8_t {
    finished,  // every host's main task ended
    failed,    // an exception left a host's main task, or `report::fail` was called
    stalled,   // nothing can ever happen any more, and some main tasks have not ended
    limit,     // it went on for longer than world_limits
};

/// A value; owns all that it tells.
struct report {
    /// What the run began with.
    std::uint64_t seed = 0;
    ending how = ending::finished;
    /// Why it is not `finished`, in words; names the host and the tasks.
    std::string what;
    /// What left the main task of a host, with `failed`.
    std::exception_ptr error;

    /// How long it took, by the clock of the world.
    duration time{};
    /// How many operations ended, values of sources included, and a hash over them with their
    /// times: equal for equal runs.
    std::uint64_t outcomes = 0;
    std::uint64_t digest = 0;
    /// The last of what happened, one line each.
    std::vector<std::string> trace;
    /// Every choice that was made: a world made of them runs the same way. Classes of faults that
    /// were switched off (see fault).
    std::vector<std::uint64_t> choices;
    std::uint32_t without = 0;

    /// Whether all went well.
    bool ok() const noexcept { return how == ending::finished; }
    explicit operator bool() const noexcept { return ok(); }

    /// Makes a failure of a run that finished: what it left behind is not as it should be. The
    /// first reason stays.
    void fail(std::string why);
    /// The same unless `holds`.
    void expect(bool holds, const char* why) {
        if (!holds) fail(why);
    }

    /// All of it but the choices, as lines to print.
    std::string text() const;
};

}  // namespace upcall::sim
