// Buffers as spans of bytes, and what converts to them.
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>

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

namespace detail {
template <class Text>
concept text = std::convertible_to<const Text&, std::string_view> &&
               !std::convertible_to<const Text&, byte_view>;
}  // namespace detail

/// What writes and sends take: bytes, or the characters of a text as std::string_view sees them.
///
/// It owns nothing, as a view does not: what it was made of must stay until the operation has
/// completed. A request may outlive the expression that makes it, so a temporary string is refused;
/// give it a name. So is an array of characters that may be changed, which does not tell where its
/// text ends: write std::string_view(array, size).
class outgoing {
  public:
    /// No bytes.
    outgoing() = default;
    outgoing(const std::byte* data, std::size_t size) noexcept : bytes_(data, size) {}

    template <class Bytes>
        requires std::convertible_to<const Bytes&, byte_view>
    outgoing(const Bytes& bytes) noexcept : bytes_(bytes) {}

    template <detail::text Text>
    outgoing(const Text& text) noexcept : bytes_(bytes_of(text)) {}
    template <detail::text Text>
        requires(!std::is_trivially_destructible_v<Text>)
    outgoing(const Text&& gone_before_it_is_written) = delete;
    template <std::size_t Size>
    outgoing(char (&of_unknown_length)[Size]) = delete;

    operator byte_view() const noexcept { return bytes_; }
    const std::byte* data() const noexcept { return bytes_.data(); }
    std::size_t size() const noexcept { return bytes_.size(); }

  private:
    byte_view bytes_;
};

/// One piece of a vectored transfer. Laid out as POSIX's struct iovec. Owns nothing: the bytes stay
/// until the transfer has completed.
struct io_slice {
    void* data = nullptr;
    std::size_t size = 0;

    io_slice() = default;
    io_slice(byte_span part) noexcept : data(part.data()), size(part.size()) {}
    /// To be written from; nothing writes to it.
    io_slice(byte_view part) noexcept
        : data(const_cast<std::byte*>(part.data())), size(part.size()) {}
};

}  // namespace upcall
