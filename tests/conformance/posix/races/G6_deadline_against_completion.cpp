#include "conformance/fixture.hpp"
#include "conformance/posix/races/steering.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, G6_a_deadline_and_a_completion_in_one_moment_have_one_outcome) {
    run([&]() -> task<> {
        auto [mine, peer] = raw_pair();
        auto stream = pipe::adopt(mine.release()).value();
        steering by;
        const int rounds = race_rounds();
        for (int round = 0; round < rounds; ++round) {
            std::byte byte{};
            bool late = false;
            {
                // From deadlines that have passed at the start to ones that never come.
                const int patience = by.cancel_after();
                const duration length = patience == steering::until_done
                                            ? duration(std::chrono::hours(1))
                                            : patience * std::chrono::microseconds(2);
                running reading(home(), timeout(length, stream.read({&byte, 1})));
                co_await turns(by.send_after());
                raw_send(peer, "x");
                co_await reading.ended();
                late = !reading.outcome();
                if (late) CO_ASSERT(reading.outcome().error() == errc::deadline_exceeded);
            }
            if (!late) {
                by.value_won();
                continue;
            }
            by.cancel_won();
            CO_ASSERT(byte == std::byte{});
            CO_ASSERT((co_await stream.read({&byte, 1})).value_or(0) == 1);
        }
        by.check();
        EXPECT_TRUE(home().timers().empty());
    });
}

}  // namespace upcall::test
