#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, C5_both_sides_may_shut_down_at_once_and_again) {
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        running mine(home(), client.shut_down_writing());
        running theirs(home(), server.shut_down_writing());
        co_await mine.ended();
        co_await theirs.ended();
        EXPECT_TRUE(mine.outcome());
        EXPECT_TRUE(theirs.outcome());
        std::byte room[4];
        EXPECT_EQ((co_await client.read(room)).error(), errc::end_of_stream);
        EXPECT_EQ((co_await server.read(room)).error(), errc::end_of_stream);
        auto again = co_await client.shut_down_writing();
        if (!again) {
            EXPECT_EQ(again.error(), std::errc::not_connected);
        }
        EXPECT_TRUE(co_await client.close());
        EXPECT_EQ((co_await client.shut_down_writing()).error(), errc::closed);
    });
}

}  // namespace upcall::test
