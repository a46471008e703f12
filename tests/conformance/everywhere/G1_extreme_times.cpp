#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_kernel, G1_zero_negative_and_past_times_fire_at_once_and_endless_ones_never) {
    run([&]() -> task<> {
        const time_point before = home().now();
        EXPECT_TRUE(co_await sleep(duration::zero()));
        EXPECT_TRUE(co_await sleep(std::chrono::seconds(-5)));
        EXPECT_TRUE(co_await sleep(duration::min()));
        EXPECT_TRUE(co_await sleep_until(before - std::chrono::hours(1)));
        EXPECT_TRUE(co_await sleep_until(time_point::min()));
        running longest(home(), sleep(duration::max()));
        running forever(home(), sleep_until(never));
        running almost(home(), sleep_until(never - duration(1)));
        EXPECT_TRUE(co_await sleep(std::chrono::milliseconds(3)));
        EXPECT_GE(home().now() - before, std::chrono::milliseconds(3)) << "never early";
        for (auto* endless : {&longest, &forever, &almost}) {
            EXPECT_FALSE(endless->done());
            endless->cancel();
            co_await endless->ended();
            EXPECT_EQ(endless->outcome().error(), errc::cancelled);
        }
    });
}

}  // namespace upcall::test
