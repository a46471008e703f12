#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_kernel, C2_an_empty_read_says_nothing_about_the_stream) {
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        EXPECT_EQ((co_await server.read(byte_span{})).value(), 0U);  // nothing has come yet
        EXPECT_TRUE(co_await client.write_all(bytes_of("x")));
        EXPECT_EQ((co_await server.read(byte_span{})).value(), 0U);  // something may have
        std::byte one{};
        EXPECT_EQ((co_await server.read({&one, 1})).value(), 1U);
        EXPECT_TRUE(co_await client.shut_down_writing());
        auto end = co_await server.read({&one, 1});
        EXPECT_EQ(end.error(), errc::end_of_stream);
        EXPECT_EQ((co_await server.read(byte_span{})).value(), 0U);  // at the end
        EXPECT_TRUE(co_await server.read_exactly(byte_span{}));
    });
}

}  // namespace upcall::test
