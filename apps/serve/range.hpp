// Byte ranges (RFC 9110, section 14).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace upcall_serve {

// Bytes `first` to `last`, both included, of a file that has more than `last`.
struct byte_range {
    std::uint64_t first = 0;
    std::uint64_t last = 0;

    std::uint64_t bytes() const { return last - first + 1; }
    bool operator==(const byte_range&) const = default;
};

// A Range field that names more ranges than this is ignored, as are fields that cannot be read:
// the answer is the whole file, once, which is the cheapest one to send.
inline constexpr std::size_t ranges_max = 16;

// Ranges closer together than this are sent as one: the part's head would be longer than the gap.
inline constexpr std::uint64_t range_gap_joined = 80;

enum class range_outcome : std::uint8_t {
    whole,          // send the file as if no range had been asked for
    partial,        // 206 with the ranges
    unsatisfiable,  // 416
};

class range_set {
  public:
    range_outcome outcome() const { return outcome_; }

    // With `partial`: one or more, in the order asked for, apart by more than the joined gap.
    std::span<const byte_range> ranges() const { return {ranges_.data(), count_}; }

  private:
    friend range_set parse_range(std::string_view value, std::uint64_t file_bytes);

    void add(byte_range range);

    std::array<byte_range, ranges_max> ranges_{};
    std::size_t count_ = 0;
    range_outcome outcome_ = range_outcome::whole;
};

// Reads a Range field for a file of `file_bytes`. No sum over the ranges exceeds the file, as
// overlapping ones are joined.
range_set parse_range(std::string_view value, std::uint64_t file_bytes);

}  // namespace upcall_serve
