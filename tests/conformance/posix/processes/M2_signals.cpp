#include <csignal>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, M2_a_signal_reaches_every_set_that_watches_it) {
    run([&]() -> task<> {
        auto first = signal_set::watch({SIGTERM, SIGUSR2}).value();
        auto second = signal_set::watch({SIGTERM}).value();
        running waiting(home(), first.next());
        co_await turns(2);
        EXPECT_FALSE(waiting.done());
        EXPECT_EQ(std::raise(SIGTERM), 0);
        co_await waiting.ended();
        EXPECT_EQ(waiting.outcome()->number, SIGTERM);
        EXPECT_EQ((co_await second.next())->number, SIGTERM);
        EXPECT_EQ(std::raise(SIGUSR2), 0);
        EXPECT_EQ((co_await first.next())->number, SIGUSR2);
        running nothing(home(), second.next());
        co_await turns(3);
        EXPECT_FALSE(nothing.done());
        second.close();
        co_await nothing.ended();
        EXPECT_EQ(nothing.outcome().error(), errc::closed);
    });
}

TEST_P(every_driver, M2_a_signal_that_is_pending_when_its_set_closes_does_no_harm) {
    run([&]() -> task<> {
        struct sigaction before{};
        ::sigaction(SIGUSR2, nullptr, &before);
        for (int round = 0; round < 10; ++round) {
            auto set = signal_set::watch({SIGUSR2}).value();
            EXPECT_EQ(std::raise(SIGUSR2), 0);
            if (round % 2) co_await turns(1);
            set.close();
        }
        struct sigaction after{};
        ::sigaction(SIGUSR2, nullptr, &after);
        EXPECT_EQ(after.sa_handler, before.sa_handler) << "as it was before";
        EXPECT_FALSE(signal_set::watch({SIGKILL}));
        EXPECT_FALSE(signal_set::watch({SIGSEGV}));
    });
}

}  // namespace upcall::test
