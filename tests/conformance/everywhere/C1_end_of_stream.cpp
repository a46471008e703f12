#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_kernel, C1_data_comes_before_the_end_and_the_end_stays) {
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        EXPECT_TRUE(co_await client.write_all(bytes_of("last words")));
        EXPECT_TRUE(co_await client.shut_down_writing());
        auto got = co_await read_to_end(server);
        EXPECT_EQ(got.text, "last words");
        EXPECT_EQ(got.end, errc::end_of_stream);
        std::byte more[4];
        for (int again = 0; again < 3; ++again) {
            auto nothing = co_await server.read(more);
            CO_ASSERT(!nothing);
            EXPECT_EQ(nothing.error(), errc::end_of_stream);
        }
    });
}

}  // namespace upcall::test
