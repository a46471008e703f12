#include <vector>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, A8_quiet_streams_are_served_beside_one_that_never_rests) {
    constexpr std::size_t quiet_streams = 50;
    constexpr int rounds = 4;
    // By the threads' scheduler where there are threads; else by these turns of the loop.
    const std::uint64_t turns_max = runs_on("blocking") ? ~std::uint64_t{0} : 40;
    run([&]() -> task<> {
        stream_pair hot = co_await connected();
        std::vector<stream_pair> quiet(quiet_streams);
        for (stream_pair& one : quiet) one = co_await connected();
        bool enough = false;
        scope busy(home().root());
        const std::string flood(65536, 'x');
        auto write_hot = [&]() -> task<> {
            while (!enough && co_await hot.client.write_all(bytes_of(flood))) {
            }
            EXPECT_TRUE(co_await hot.client.shut_down_writing());
        };
        std::size_t hot_bytes = 0;
        auto read_hot = [&]() -> task<> {
            std::string room(65536, ' ');
            while (auto count = co_await hot.server.read(bytes_in(room))) hot_bytes += *count;
        };
        busy.spawn_now(write_hot(), "writer");
        busy.spawn_now(read_hot(), "reader");
        std::uint64_t most_turns = 0;
        for (int round = 0; round < rounds; ++round) {
            for (stream_pair& one : quiet) {
                std::byte byte{};
                running reading(home(), one.server.read({&byte, 1}));
                co_await turns(1);
                const std::uint64_t before = home().turns();
                EXPECT_TRUE(co_await one.client.write_all(bytes_of("?")));
                co_await reading.ended();
                most_turns = std::max(most_turns, home().turns() - before);
            }
        }
        EXPECT_LE(most_turns, turns_max);
        enough = true;
        co_await busy.join();
        EXPECT_GT(hot_bytes, flood.size());
    });
}

}  // namespace upcall::test
