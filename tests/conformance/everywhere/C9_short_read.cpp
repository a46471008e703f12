#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_kernel, C9_a_read_returns_what_is_there_and_read_exactly_waits_for_the_rest) {
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        std::string room(65536, ' ');
        EXPECT_TRUE(co_await client.write_all(bytes_of("1")));
        EXPECT_EQ((co_await server.read(bytes_in(room))).value(), 1U);
        EXPECT_EQ(room[0], '1');

        const std::string sent = counted_text(room.size());
        running reading(home(), server.read_exactly(bytes_in(room)));
        for (std::size_t at = 0; at < sent.size(); at += 4096) {
            EXPECT_FALSE(reading.done());
            EXPECT_TRUE(co_await client.write_all(bytes_of(sent).subspan(at, 4096)));
        }
        co_await reading.ended();
        EXPECT_TRUE(reading.outcome());
        EXPECT_EQ(reading.outcome().bytes, sent.size());
        EXPECT_TRUE(room == sent);
    });
}

TEST_P(every_kernel, C9_read_exactly_tells_a_clean_end_from_one_in_mid_message) {
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        EXPECT_TRUE(co_await client.write_all(bytes_of("12345678abc")));
        EXPECT_TRUE(co_await client.shut_down_writing());
        std::byte room[8];
        EXPECT_TRUE(co_await server.read_exactly(room));
        auto cut = co_await server.read_exactly(room);
        EXPECT_EQ(cut.bytes, 3U);
        EXPECT_EQ(cut.cause, errc::unexpected_end);
        auto clean = co_await server.read_exactly(room);
        EXPECT_EQ(clean.bytes, 0U);
        EXPECT_EQ(clean.cause, errc::end_of_stream);
    });
}

}  // namespace upcall::test
