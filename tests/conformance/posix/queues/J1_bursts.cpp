#include <vector>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, J1_a_burst_of_many_times_the_rings_size_loses_nothing) {
    uring_options narrow = GetParam().choice.uring;
    narrow.submission_entries = 4;
    renew_loop(small_loop(), &narrow);
    constexpr std::size_t burst = 200;
    run([&]() -> task<> {
        auto data =
            (co_await file::open(scratch("data"), open_read | open_write | open_create)).value();
        const std::string content = counted_text(burst * 16);
        EXPECT_TRUE(co_await data.write_all_at(bytes_of(content), 0));
        std::vector<stream_pair> pairs(20);
        for (stream_pair& one : pairs) one = co_await connected();
        std::size_t done = 0;
        scope all(home().root());
        auto read_file = [&](std::size_t at) -> task<> {
            std::string got(16, ' ');
            EXPECT_TRUE(co_await data.read_exactly_at(bytes_in(got), at * 16));
            EXPECT_EQ(got, content.substr(at * 16, 16));
            ++done;
        };
        auto exchange = [&](stream_pair& with) -> task<> {
            EXPECT_TRUE(co_await with.client.write_all(bytes_of("ping")));
            std::string got(4, ' ');
            EXPECT_TRUE(co_await with.server.read_exactly(bytes_in(got)));
            EXPECT_EQ(got, "ping");
            ++done;
        };
        for (std::size_t at = 0; at < burst; ++at) all.spawn_now(read_file(at), "file");
        for (stream_pair& one : pairs) all.spawn_now(exchange(one), "stream");
        co_await all.join();
        EXPECT_EQ(done, burst + pairs.size());
        // And as many cancellations as do not fit, either.
        std::byte room[8];
        int cancelled = 0;
        scope waiting(home().root());
        auto wait = [&](tcp::stream& on) -> task<> {
            if ((co_await on.read(room)).error() == errc::cancelled) ++cancelled;
        };
        for (stream_pair& one : pairs) waiting.spawn_now(wait(one.server), "reader");
        co_await turns(20);
        waiting.cancel();
        co_await waiting.join();
        EXPECT_EQ(cancelled, 20);
    });
}

}  // namespace upcall::test
