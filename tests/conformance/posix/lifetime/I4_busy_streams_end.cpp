#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {
namespace {

/// So many exchanges that a driver which prepares for the long run has done so.
task<> talk(tcp::stream& one, tcp::stream& other) {
    for (int i = 0; i < 100; ++i) {
        CO_ASSERT(co_await one.write_all(bytes_of("ping")));
        std::byte room[4];
        CO_ASSERT(co_await other.read_exactly(room));
        CO_ASSERT(co_await other.write_all(bytes_of("pong")));
        CO_ASSERT(co_await one.read_exactly(room));
    }
}

}  // namespace

TEST_P(every_form, I4_a_busy_stream_that_was_closed_is_held_open_by_nobody) {
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        co_await talk(client, server);
        CO_ASSERT(co_await client.close());
        std::byte room[4];
        EXPECT_EQ((co_await server.read(room)).error(), errc::end_of_stream);
    });
}

TEST_P(every_form, I4_a_busy_stream_that_was_taken_off_its_loop_is_held_open_by_nobody) {
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        co_await talk(client, server);
        {
            auto taken = co_await client.detach();
            CO_ASSERT(taken);
            EXPECT_EQ(::send(static_cast<int>(taken->socket.get()), "last", 4, MSG_NOSIGNAL), 4);
        }
        std::byte room[4];
        EXPECT_TRUE(co_await server.read_exactly(room));
        EXPECT_EQ((co_await server.read(room)).error(), errc::end_of_stream);
    });
}

TEST_P(every_form, I4_a_stream_that_takes_the_number_of_a_busy_one_is_not_taken_for_it) {
    run([&]() -> task<> {
        for (int round = 0; round < 5; ++round) {
            auto [client, server] = co_await connected();
            co_await talk(client, server);
            auto [other, peer] = co_await connected();
            co_await talk(other, peer);
            CO_ASSERT(co_await client.close());
            auto [next, last] = co_await connected();
            co_await talk(next, last);
            co_await talk(other, peer);
        }
    });
}

}  // namespace upcall::test
