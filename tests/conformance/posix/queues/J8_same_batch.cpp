#include <vector>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, J8_an_event_for_what_was_closed_earlier_in_the_same_batch_is_dropped) {
    constexpr std::size_t streams = 70;
    run([&]() -> task<> {
        for (int round = 0; round < 5; ++round) {
            std::vector<stream_pair> pairs(streams);
            for (stream_pair& one : pairs) one = co_await connected();
            std::size_t got = 0;
            std::size_t closed = 0;
            std::vector<tcp::stream> successors;
            scope reading(home().root());
            // The first that is served closes all the others, whose events are in the same batch.
            auto read = [&](std::size_t mine) -> task<> {
                std::byte byte{};
                auto count = co_await pairs[mine].server.read({&byte, 1});
                if (!count) {
                    EXPECT_EQ(count.error(), errc::closed);
                    ++closed;
                    co_return;
                }
                ++got;
                for (std::size_t other = 0; other < streams; ++other)
                    if (other != mine) pairs[other].server = {};
            };
            for (std::size_t index = 0; index < streams; ++index)
                reading.spawn_now(read(index), "reader");
            co_await turns(3);
            running writing(home(), sleep(duration::zero()));
            for (stream_pair& one : pairs) {
                running nudge(home(), one.client.write(bytes_of("x")));
                co_await nudge.ended();
            }
            co_await reading.join();
            co_await writing.ended();
            EXPECT_EQ(got + closed, streams);
            EXPECT_GE(got, 1U);
        }
    });
}

}  // namespace upcall::test
