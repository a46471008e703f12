#include <random>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, G4_no_timer_fires_before_its_time) {
    run([&]() -> task<> {
        scope sleeping(home().root());
        auto wait = [&](duration length) -> task<> {
            const time_point started = home().via().now();
            EXPECT_TRUE(co_await sleep(length));
            EXPECT_GE(home().via().now() - started, length);
        };
        std::minstd_rand draw(11);
        for (int count = 0; count < 2000; ++count)
            sleeping.spawn_now(wait(std::chrono::nanoseconds(draw() % 30'000'000)), "sleeper");
        co_await sleeping.join();
    });
}

}  // namespace upcall::test
