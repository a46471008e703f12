// Every random draw of a simulation, through one recorder.
//
// What a simulated world does is decided by a stream of numbers. They come from a seed, or from a
// stream that was recorded before and perhaps edited since: shrinking a failure and fuzzing with
// coverage are then the same thing, a search for a stream. For that reason 0 always stands for the
// plainest choice: no fault, no delay, the first in line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <upcall/base/clock.hpp>

namespace upcall {

/// Bounds of a length of time, both included.
struct duration_range {
    duration least{};
    duration most{};
};

/// Used by one thread. Draws may throw std::bad_alloc while recording.
class choices {
  public:
    /// Draws from a generator started with `seed`, and records every draw.
    explicit choices(std::uint64_t seed) noexcept : state_(seed) {}

    /// Draws what was recorded, each number reduced to what is asked for; 0 past its end.
    explicit choices(std::vector<std::uint64_t> recorded) noexcept
        : stream_(std::move(recorded)), replaying_(true) {}

    /// A number below `bound`. Nothing is drawn when there is no choice (`bound` is 0 or 1).
    std::uint64_t below(std::uint64_t bound);

    /// Any 64 bits.
    std::uint64_t any();

    /// True this often in a million. Nothing is drawn when that is never.
    bool chance(std::uint32_t in_a_million);

    /// A length of time within `range`.
    duration within(const duration_range& range);

    /// Stops recording, to save the memory when the seed is enough. Draws are not affected.
    void forget() noexcept;

    /// What was drawn so far: the stream to replay.
    std::span<const std::uint64_t> recorded() const noexcept {
        return {stream_.data(), replaying_ ? next_ : stream_.size()};
    }

    /// How many numbers were drawn.
    std::uint64_t drawn() const noexcept { return drawn_; }

  private:
    std::uint64_t draw();

    std::uint64_t state_ = 0;
    std::uint64_t drawn_ = 0;
    std::vector<std::uint64_t> stream_;
    std::size_t next_ = 0;  // replaying: where in the stream
    bool replaying_ = false;
    bool recording_ = true;
};

}  // namespace upcall
