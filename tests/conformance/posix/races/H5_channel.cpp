#include "conformance/fixture.hpp"
#include "conformance/posix/races/race.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver,
       H5_a_channels_receive_and_its_cancellation_have_one_outcome_and_lose_no_value) {
    run([&]() -> task<> {
        channel<int> values(4);
        steering by;
        const int rounds = race_rounds();
        for (int round = 0; round < rounds; ++round) {
            {
                running receiving(home(), values.receive());
                co_await race(by, receiving, [&] {
                    int value = round;
                    EXPECT_TRUE(values.try_send(value));
                });
                if (auto& outcome = receiving.outcome()) {
                    by.value_won();
                    CO_ASSERT(*outcome == round);
                    continue;
                } else {
                    by.cancel_won();
                    CO_ASSERT(outcome.error() == errc::cancelled);
                }
            }
            CO_ASSERT(values.try_receive() == round);
        }
        by.check();
        CO_ASSERT(!values.try_receive());
    });
}

TEST_P(every_driver, H5_a_channels_send_and_its_cancellation_have_one_outcome) {
    run([&]() -> task<> {
        channel<int> values(1);
        steering by;
        const int rounds = race_rounds();
        for (int round = 0; round < rounds; ++round) {
            int first = -1;
            CO_ASSERT(values.try_send(first));
            running sending(home(), values.send(round));
            std::optional<int> taken;
            co_await race(by, sending, [&] { taken = values.try_receive(); });
            CO_ASSERT(taken == -1);
            if (sending.outcome()) {
                by.value_won();
                CO_ASSERT(values.try_receive() == round);
            } else {
                by.cancel_won();
                CO_ASSERT(sending.outcome().error().why == errc::cancelled);
                CO_ASSERT(sending.outcome().error().value == round);
                CO_ASSERT(!values.try_receive());
            }
        }
        by.check();
    });
}

}  // namespace upcall::test
