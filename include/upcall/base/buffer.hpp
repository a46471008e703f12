// Buffers as spans of bytes, and what converts to them.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace upcall {

using byte_view = std::span<const std::byte>;
using byte_span = std::span<std::byte>;

/// The bytes of a text; valid as long as the text is.
inline byte_view bytes_of(std::string_view text) noexcept {
    return std::as_bytes(std::span(text.data(), text.size()));
}

/// The text in some bytes; valid as long as the bytes are.
inline std::string_view text_of(byte_view data) noexcept {
    return {reinterpret_cast<const char*>(data.data()), data.size()};
}

/// One piece of a vectored transfer. Laid out as POSIX's struct iovec.
struct io_slice {
    void* data = nullptr;
    std::size_t size = 0;

    io_slice() = default;
    io_slice(byte_span part) noexcept : data(part.data()), size(part.size()) {}
    io_slice(byte_view part) noexcept
        : data(const_cast<std::byte*>(part.data())), size(part.size()) {}
};

}  // namespace upcall
