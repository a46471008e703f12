// Reads the small text files in which Linux describes itself.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <upcall/driver/host_limits.hpp>

namespace upcall::host_probe {

/// The tree that holds /proc, /sys and the rest: "" for the running system, a folder for tests.
struct system_files {
    std::string root;

    /// The whole file (at most 1 MiB), or errno.
    std::expected<std::string, int> read(std::string_view path) const;
    bool exists(std::string_view path) const noexcept;
    /// The number that is the file's only content; "max" and -1 are `unlimited`.
    quantity number(std::string_view path) const;
};

/// A number alone, or with blanks around it; "max" and -1 are unlimited; else nothing.
std::optional<quantity> parse_quantity(std::string_view text) noexcept;
std::string_view trim(std::string_view text) noexcept;
/// The pieces between separators, empty ones left out.
std::vector<std::string_view> split(std::string_view text, char separator);
/// The value of a "Key:\tvalue" line, trimmed; empty if there is none.
std::string_view field(std::string_view text, std::string_view key) noexcept;
std::optional<std::uint64_t> parse_hex(std::string_view text) noexcept;

}  // namespace upcall::host_probe
