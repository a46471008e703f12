#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

namespace {

/// Tries three things after it was cancelled, and none of them happens.
task<> go_on_regardless(byte_stream& on, int& ended) {
    std::byte room[8];
    auto read = co_await on.read(room);
    EXPECT_EQ(read.error(), errc::cancelled);
    auto wrote = co_await on.write_all(bytes_of("too late"));
    EXPECT_EQ(wrote.cause, errc::cancelled);
    EXPECT_EQ(wrote.bytes, 0U);
    auto slept = co_await sleep(std::chrono::hours(1));
    EXPECT_EQ(slept.error(), errc::cancelled);
    ++ended;
}

}  // namespace

TEST_P(every_kernel, A3_what_starts_after_a_cancellation_ends_at_once_and_does_nothing) {
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        int ended = 0;
        scope cancelled(home().root());
        cancelled.spawn_now(go_on_regardless(client, ended), "cancelled");
        co_await turns(2);
        cancelled.cancel();
        co_await cancelled.join();
        EXPECT_EQ(ended, 1);
        EXPECT_TRUE(co_await client.write_all(bytes_of("in time")));
        EXPECT_TRUE(co_await client.shut_down_writing());
        auto got = co_await read_to_end(server);
        EXPECT_EQ(got.text, "in time");
    });
}

}  // namespace upcall::test
