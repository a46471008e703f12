#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, J6_a_turn_that_may_not_wait_does_not_and_one_that_may_wakes_in_time) {
    running endless(home(), sleep(std::chrono::hours(10)));
    for (int turn = 0; turn < 10; ++turn) home().turn(loop::wait::none);  // or the test would hang
    const time_point deadline = home().via().now() + std::chrono::milliseconds(3);
    running soon(home(), sleep_until(deadline));
    const std::uint64_t before = home().turns();
    turn_until([&] { return soon.done(); });
    EXPECT_GE(home().via().now(), deadline);
    EXPECT_LE(home().turns() - before, 20U);
    endless.cancel();
    turn_until([&] { return endless.done(); });
    run([&]() -> task<> { co_await endless.ended(); });
    run([&]() -> task<> { co_await soon.ended(); });
}

}  // namespace upcall::test
