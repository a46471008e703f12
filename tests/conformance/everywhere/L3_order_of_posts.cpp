#include <thread>
#include <vector>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_kernel, L3_posts_run_in_the_order_of_their_thread) {
    constexpr std::size_t producers = 8;
    constexpr int each = 2000;
    std::vector<std::vector<int>> got(producers);
    std::size_t left = producers * each;
    std::vector<std::thread> threads;
    for (std::size_t producer = 0; producer < producers; ++producer)
        threads.emplace_back([&, producer] {
            for (int index = 0; index < each; ++index)
                EXPECT_TRUE(home().post([&, producer, index] {
                    got[producer].push_back(index);
                    --left;
                }));
        });
    turn_until([&] { return left == 0; });
    for (std::thread& one : threads) one.join();
    for (const auto& mine : got) {
        ASSERT_EQ(mine.size(), static_cast<std::size_t>(each));
        for (int index = 0; index < each; ++index)
            ASSERT_EQ(mine[static_cast<std::size_t>(index)], index);
    }
}

}  // namespace upcall::test
