#include <upcall/driver/choices.hpp>

namespace upcall {
namespace {

constexpr std::uint32_t million = 1'000'000;

// splitmix64: a counter and a mixing function, so that every seed is a good one.
std::uint64_t next_of(std::uint64_t& state) noexcept {
    state += 0x9e3779b97f4a7c15U;
    std::uint64_t mixed = state;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31);
}

}  // namespace

std::uint64_t choices::draw() {
    ++drawn_;
    if (replaying_) {
        if (next_ == stream_.size()) return 0;
        return stream_[next_++];
    }
    return next_of(state_);
}

std::uint64_t choices::any() {
    const std::uint64_t value = draw();
    if (!replaying_ && recording_) stream_.push_back(value);
    return value;
}

std::uint64_t choices::below(std::uint64_t bound) {
    if (bound <= 1) return 0;
    const std::uint64_t value = draw() % bound;
    // Recorded as it was used: small numbers are what a shrinker works with.
    if (!replaying_ && recording_) stream_.push_back(value);
    return value;
}

bool choices::chance(std::uint32_t in_a_million) {
    if (in_a_million == 0) return false;
    return below(million) >= million - (in_a_million < million ? in_a_million : million);
}

duration choices::within(const duration_range& range) {
    if (range.most <= range.least) return range.least;
    const auto span = static_cast<std::uint64_t>((range.most - range.least).count());
    return range.least + duration(static_cast<std::int64_t>(below(span + 1)));
}

void choices::forget() noexcept {
    recording_ = false;
    if (!replaying_) {
        stream_.clear();
        stream_.shrink_to_fit();
    }
}

}  // namespace upcall
