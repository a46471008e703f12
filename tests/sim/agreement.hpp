// Random programs of operations and what they tell: the same on every kernel. What a program does
// next never rests on what it was told, so that a difference stays a difference in one line.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <upcall/upcall.hpp>

namespace upcall::sim {

/// What a program was told, a line for each step. Steps of one trace follow each other; traces that
/// run side by side are compared one by one, which allows for any order between them.
class told {
  public:
    explicit told(std::uint64_t seed) : draws_(seed) {}

    /// 0 to `bound` - 1; the same on every host.
    std::size_t below(std::size_t bound) { return static_cast<std::size_t>(draws_() % bound); }

    void note(std::string what) { lines_.push_back(std::move(what)); }
    void note(std::string what, std::error_code why) {
        note(std::move(what) + ": " + (why ? why.message() : "done"));
    }
    template <class T>
    void note(std::string what, const result<T>& outcome) {
        if constexpr (std::is_integral_v<T>) {
            if (outcome) return note(std::move(what) + ": " + std::to_string(*outcome));
        }
        note(std::move(what), outcome ? std::error_code{} : outcome.error());
    }
    void note(std::string what, const transfer& outcome) {
        note(std::move(what) + " " + std::to_string(outcome.bytes), outcome.cause);
    }
    void note_text(std::string what, std::string_view text) {
        std::uint64_t sum = 14695981039346656037U;
        for (const char one : text) sum = (sum ^ static_cast<unsigned char>(one)) * 1099511628211U;
        note(std::move(what) + ": " + std::to_string(text.size()) + " bytes, sum " +
             std::to_string(sum));
    }

    /// Bytes that tell where they come from.
    std::string text(std::size_t size) {
        std::string made(size, ' ');
        const std::size_t start = below(1000);
        for (std::size_t at = 0; at < size; ++at)
            made[at] = static_cast<char>('!' + (start + at * 7) % 90);
        return made;
    }

    const std::vector<std::string>& lines() const noexcept { return lines_; }

  private:
    std::mt19937_64 draws_;
    std::vector<std::string> lines_;
};

inline byte_span room_in(std::string& text) noexcept {
    return std::as_writable_bytes(std::span(text.data(), text.size()));
}

task<> use_streams(told& trace);
task<> use_datagrams(told& trace);
/// In `folder`, which is empty and ends with a slash.
task<> use_files(told& trace, std::string folder);

}  // namespace upcall::sim
