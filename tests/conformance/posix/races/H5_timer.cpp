#include "conformance/fixture.hpp"
#include "conformance/posix/races/race.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, H5_a_timer_and_its_cancellation_have_one_outcome) {
    run([&]() -> task<> {
        steering by;
        const int rounds = race_rounds();
        for (int round = 0; round < rounds; ++round) {
            const duration length = std::chrono::nanoseconds(round % 20'000);
            const time_point start = home().via().now();
            running sleeping(home(), sleep(length));
            co_await race(by, sleeping, [] {});
            if (auto& outcome = sleeping.outcome()) {
                by.value_won();
                CO_ASSERT(home().via().now() - start >= length);
            } else {
                by.cancel_won();
                CO_ASSERT(outcome.error() == errc::cancelled);
            }
        }
        by.check();
    });
}

}  // namespace upcall::test
