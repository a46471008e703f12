// Sizes and durations as people write them on a command line.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace upcall_serve {

// "4096", "64k", "64KiB", "2M", "1g": a k is 1024 everywhere. The error says what is wrong, and
// names the limits.
std::expected<std::uint64_t, std::string> parse_size(std::string_view text, std::uint64_t least,
                                                     std::uint64_t most);

// "500ms", "10s", "2m", "1h"; a bare number is seconds.
std::expected<std::chrono::milliseconds, std::string> parse_duration(std::string_view text);

// A plain number within limits, which the error names.
std::expected<std::uint64_t, std::string> parse_count(std::string_view text, std::uint64_t least,
                                                      std::uint64_t most);

}  // namespace upcall_serve
