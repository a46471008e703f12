#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_kernel, G2_equal_deadlines_fire_in_the_order_in_which_they_were_set) {
    constexpr int count = 1000;
    run([&]() -> task<> {
        const time_point deadline = home().now() + std::chrono::milliseconds(5);
        std::vector<int> fired;
        scope sleeping(home().root());
        auto wait = [&](int index) -> task<> {
            // Every third one a little earlier: those come first, in their own order.
            const duration ahead = std::chrono::microseconds(index % 3 == 0 ? 100 : 0);
            EXPECT_TRUE(co_await sleep_until(deadline - ahead));
            fired.push_back(index);
        };
        for (int index = 0; index < count; ++index) sleeping.spawn_now(wait(index), "sleeper");
        co_await sleeping.join();
        std::vector<int> expected;
        for (int index = 0; index < count; ++index)
            if (index % 3 == 0) expected.push_back(index);
        for (int index = 0; index < count; ++index)
            if (index % 3 != 0) expected.push_back(index);
        EXPECT_EQ(fired, expected);
    });
}

}  // namespace upcall::test
