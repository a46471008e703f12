#include <vector>

#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, J2_more_completions_than_fit_are_all_delivered_without_spinning) {
    uring_options narrow = GetParam().choice.uring;
    narrow.submission_entries = 4;
    narrow.completion_entries = 8;
    renew_loop(small_loop(), &narrow);
    constexpr std::size_t streams = 150;
    run([&]() -> task<> {
        std::vector<stream_pair> pairs(streams);
        for (stream_pair& one : pairs) one = co_await connected();
        for (int round = 0; round < 5; ++round) {
            std::size_t done = 0;
            scope reading(home().root());
            auto read = [&](tcp::stream& from) -> task<> {
                auto got = co_await from.receive();
                EXPECT_TRUE(got);
                ++done;
            };
            for (stream_pair& one : pairs) reading.spawn_now(read(one.server), "reader");
            co_await turns(60);
            for (stream_pair& one : pairs)
                EXPECT_TRUE(co_await one.client.write_all(bytes_of("x")));
            const std::uint64_t before = home().turns();
            co_await reading.join();
            EXPECT_EQ(done, streams);
            if (!runs_on("blocking")) {
                EXPECT_LE(home().turns() - before, 300U);
            }
        }
    });
}

}  // namespace upcall::test
