#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_kernel, C3_an_empty_write_sends_nothing_and_succeeds) {
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        EXPECT_EQ((co_await client.write({})).value(), 0U);
        auto whole = co_await client.write_all(byte_view());
        EXPECT_TRUE(whole);
        EXPECT_EQ(whole.bytes, 0U);
        auto no_pieces = co_await client.write_all(std::span<io_slice>());
        EXPECT_TRUE(no_pieces);
        io_slice empty[] = {bytes_of(""), bytes_of(""), bytes_of("")};
        auto empty_pieces = co_await client.write_all(std::span<io_slice>(empty));
        EXPECT_TRUE(empty_pieces) << empty_pieces.cause.message();
        io_slice mixed[] = {bytes_of(""), bytes_of("a"), bytes_of(""), bytes_of("b"), bytes_of("")};
        auto mixed_pieces = co_await client.write_all(std::span<io_slice>(mixed));
        EXPECT_TRUE(mixed_pieces) << mixed_pieces.cause.message();
        EXPECT_EQ(mixed_pieces.bytes, 2U);
        EXPECT_TRUE(co_await client.shut_down_writing());
        auto got = co_await read_to_end(server);
        EXPECT_EQ(got.text, "ab");
    });
}

}  // namespace upcall::test
