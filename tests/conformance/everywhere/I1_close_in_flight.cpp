#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_kernel, I1_closing_ends_the_reads_and_writes_in_flight) {
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        std::byte room[8];
        std::string more_than_fits(64'000'000, 'x');
        running reading(home(), client.read(room));
        running waiting_read(home(), client.read_exactly(room));
        running writing(home(), client.write_all(bytes_of(more_than_fits)));
        running waiting_write(home(), client.write_all(bytes_of("never sent")));
        co_await turns(3);
        EXPECT_FALSE(reading.done());
        EXPECT_FALSE(writing.done());
        auto closed = co_await client.close();
        EXPECT_TRUE(closed) << closed.error().message();
        co_await reading.ended();
        co_await waiting_read.ended();
        co_await writing.ended();
        co_await waiting_write.ended();
        EXPECT_EQ(reading.outcome().error(), errc::closed);
        EXPECT_EQ(waiting_read.outcome().cause, errc::closed);
        EXPECT_EQ(writing.outcome().cause, errc::closed);
        EXPECT_LT(writing.outcome().bytes, more_than_fits.size());
        EXPECT_EQ(waiting_write.outcome().bytes, 0U);
        EXPECT_FALSE(client);
        EXPECT_EQ((co_await client.read(room)).error(), errc::closed);
        EXPECT_EQ((co_await client.write_all(bytes_of("x"))).cause, errc::closed);
    });
}

}  // namespace upcall::test
