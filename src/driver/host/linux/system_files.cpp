#include "driver/host/linux/system_files.hpp"

#if defined(__linux__)

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>

namespace upcall::host_probe {

std::expected<std::string, int> system_files::read(std::string_view path) const {
    const std::string full = root + std::string(path);
    const int fd = ::open(full.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return std::unexpected(errno);
    constexpr std::size_t size_max = 1 << 20;
    std::string text;
    std::array<char, 4096> piece;
    for (;;) {
        const ssize_t count = ::read(fd, piece.data(), piece.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) {
            const int error = errno;
            ::close(fd);
            return std::unexpected(error);
        }
        if (count == 0 || text.size() >= size_max) break;
        text.append(piece.data(), static_cast<std::size_t>(count));
    }
    ::close(fd);
    return text;
}

bool system_files::exists(std::string_view path) const noexcept {
    return ::access((root + std::string(path)).c_str(), F_OK) == 0;
}

quantity system_files::number(std::string_view path) const {
    const auto text = read(path);
    if (!text) return quantity::unknown(text.error());
    return parse_quantity(*text).value_or(quantity::unknown(EBADMSG));
}

std::optional<quantity> parse_quantity(std::string_view text) noexcept {
    text = trim(text);
    if (text == "max" || text == "-1") return quantity::infinite();
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return quantity::of(value);
}

std::string_view trim(std::string_view text) noexcept {
    constexpr std::string_view blanks(" \t\r\n\0", 5);
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> pieces;
    while (!text.empty()) {
        const std::size_t end = text.find(separator);
        if (end != 0) pieces.push_back(text.substr(0, end));
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return pieces;
}

std::string_view field(std::string_view text, std::string_view key) noexcept {
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        if (line.starts_with(key) && line.substr(key.size()).starts_with(':'))
            return trim(line.substr(key.size() + 1));
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return {};
}

std::optional<std::uint64_t> parse_hex(std::string_view text) noexcept {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace upcall::host_probe

#endif
