#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {
namespace {

constexpr int count = 1000;

struct sleepers {
    int set_in_time = 0;
    std::vector<int> fired;
};

task<> sleep_in_order(loop& home, duration ahead, sleepers& all) {
    const time_point deadline = home.now() + ahead;
    scope sleeping(home.root());
    auto wait = [&](int index) -> task<> {
        // Every third one a little earlier: those come first, in their own order.
        const duration earlier = std::chrono::microseconds(index % 3 == 0 ? 100 : 0);
        if (home.read_clock() < deadline - earlier) ++all.set_in_time;
        EXPECT_TRUE(co_await sleep_until(deadline - earlier));
        all.fired.push_back(index);
    };
    for (int index = 0; index < count; ++index) sleeping.spawn_now(wait(index), "sleeper");
    co_await sleeping.join();
}

}  // namespace

TEST_P(every_kernel, G2_equal_deadlines_fire_in_the_order_in_which_they_were_set) {
    run([&]() -> task<> {
        std::vector<int> expected;
        for (int index = 0; index < count; ++index)
            if (index % 3 == 0) expected.push_back(index);
        for (int index = 0; index < count; ++index)
            if (index % 3 != 0) expected.push_back(index);
        // A busy machine may need longer to set them than the first of them has to wait.
        duration ahead = std::chrono::milliseconds(5);
        for (;; ahead *= 4) {
            sleepers all;
            co_await sleep_in_order(home(), ahead, all);
            if (all.set_in_time < count) continue;
            EXPECT_EQ(all.fired, expected);
            break;
        }
    });
}

}  // namespace upcall::test
