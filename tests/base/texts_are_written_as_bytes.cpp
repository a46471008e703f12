// What writes take: bytes and texts that stay, and no text that is gone, or whose end is not known,
// when it is written.
#include <gtest/gtest.h>

#include <array>
#include <memory_resource>
#include <string>
#include <upcall/base/buffer.hpp>
#include <upcall/io/file.hpp>
#include <upcall/io/message_socket.hpp>
#include <upcall/io/stream.hpp>
#include <vector>

namespace upcall {
namespace {

template <class From>
concept taken = std::convertible_to<From, outgoing>;

static_assert(taken<std::string&> && taken<const std::string&> && taken<std::pmr::string&>);
static_assert(taken<std::string_view> && taken<std::string_view&>);
static_assert(taken<const char (&)[6]> && taken<const char*>);
static_assert(taken<byte_view> && taken<byte_span&> && taken<lease&>);
static_assert(taken<std::array<std::byte, 3>&> && taken<const std::vector<std::byte>&>);

static_assert(!taken<std::string> && !taken<const std::string> && !taken<std::pmr::string>);
static_assert(!taken<char (&)[6]>);
static_assert(!taken<std::vector<char>&> && !taken<std::array<int, 3>&> && !taken<int>);

template <class From>
concept written = requires(byte_stream to, From&& from) { to.write(std::forward<From>(from)); };
template <class From>
concept wholly_written =
    requires(byte_stream to, From&& from) { to.write_all(std::forward<From>(from)); };
template <class From>
concept filed = requires(file to, From&& from) { to.write_all_at(std::forward<From>(from), 0); };
template <class From>
concept sent = requires(message_socket to, From&& from) { to.send(std::forward<From>(from)); };

static_assert(written<std::string&> && wholly_written<std::string&>);
static_assert(filed<std::string&> && sent<std::string&>);
static_assert(!written<std::string> && !wholly_written<std::string>);
static_assert(!filed<std::string> && !sent<std::string>);
static_assert(wholly_written<std::vector<io_slice>&> && wholly_written<std::span<io_slice>>);

TEST(texts, are_the_bytes_that_string_view_sees) {
    const std::string name("a\0b", 3);
    EXPECT_EQ(text_of(outgoing(name)), name);
    EXPECT_EQ(text_of(outgoing("hello")), "hello");
    const char* said = "said";
    EXPECT_EQ(text_of(outgoing(said)), "said");
    EXPECT_EQ(text_of(outgoing(std::string_view(name).substr(2))), "b");
    EXPECT_TRUE(text_of(outgoing()).empty());
}

TEST(texts, are_not_copied) {
    const std::string text = "stays";
    const outgoing from(text);
    EXPECT_EQ(static_cast<const void*>(from.data()), text.data());
    EXPECT_EQ(from.size(), text.size());
    std::array<std::byte, 4> bytes{};
    EXPECT_EQ(outgoing(bytes).data(), bytes.data());
    EXPECT_EQ(outgoing(bytes).size(), bytes.size());
}

}  // namespace
}  // namespace upcall
