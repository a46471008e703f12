#include <algorithm>
#include <random>
#include <vector>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, A7_a_hundred_thousand_timers_end_once_each_in_any_order) {
    constexpr int count = 100'000;
    run([&]() -> task<> {
        std::minstd_rand draw(7);
        std::vector<std::uint8_t> ended(count);
        scope sleeping(home().root());
        auto wait = [&](std::size_t index, duration length) -> task<> {
            EXPECT_TRUE(co_await sleep(length));
            ++ended[index];
        };
        for (std::size_t index = 0; index < count; ++index)
            sleeping.spawn_now(wait(index, std::chrono::microseconds(draw() % 20'000)), "sleeper");
        co_await sleeping.join();
        EXPECT_EQ(std::ranges::count(ended, 1), count);
    });
}

TEST_P(every_driver, A7_thousands_of_reads_end_once_each_in_any_order) {
    constexpr std::size_t streams = 100;
    constexpr std::size_t reads_each = 50;
    run([&]() -> task<> {
        std::vector<stream_pair> pairs(streams);
        for (stream_pair& one : pairs) one = co_await connected();
        std::size_t ended = 0;
        scope reading(home().root());
        auto read = [&](tcp::stream& from, std::size_t number) -> task<> {
            std::string got(4, ' ');
            EXPECT_TRUE(co_await from.read_exactly(bytes_in(got)));
            EXPECT_EQ(std::stoul(got), number);
            ++ended;
        };
        for (std::size_t number = 0; number < reads_each; ++number)
            for (stream_pair& one : pairs) reading.spawn_now(read(one.server, number), "reader");
        co_await turns(2);
        std::minstd_rand draw(7);
        std::vector<std::size_t> sent(streams);
        for (std::size_t left = streams * reads_each; left > 0;) {
            const std::size_t which = draw() % streams;
            if (sent[which] == reads_each) continue;
            const std::string text = std::to_string(1000 + sent[which]++).replace(0, 1, "0");
            EXPECT_TRUE(co_await pairs[which].client.write_all(bytes_of(text)));
            --left;
        }
        co_await reading.join();
        EXPECT_EQ(ended, streams * reads_each);
    });
}

}  // namespace upcall::test
