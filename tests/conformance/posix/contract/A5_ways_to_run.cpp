#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, A5_each_way_to_run_the_loop_runs_what_it_says) {
    int ran = 0;
    const auto post = [&] { EXPECT_TRUE(home().post([&] { ++ran; })); };

    // Nothing to do: each returns, and none waits.
    home().run();
    EXPECT_EQ(home().run_ready(), 0U);
    EXPECT_FALSE(home().turn(loop::wait::allowed));

    post();
    post();
    EXPECT_EQ(home().run_ready(), 2U);
    EXPECT_EQ(ran, 2);

    // Until idle, and what that brings about.
    EXPECT_TRUE(home().post([&] { post(); }));
    home().run();
    EXPECT_EQ(ran, 3);

    // Stopped before it begins: returns at once, and only the one after that goes on.
    home().stop_running();
    post();
    home().run();
    EXPECT_EQ(ran, 3);
    home().run();
    EXPECT_EQ(ran, 4);

    // Stopped from inside, with something left to wait for.
    running endless(home(), sleep_until(never));
    EXPECT_TRUE(home().post([&] { home().stop_running(); }));
    home().run();
    EXPECT_TRUE(home().alive());
    EXPECT_FALSE(endless.done());
    endless.cancel();
    home().run();
    EXPECT_TRUE(endless.done());
    EXPECT_FALSE(home().alive());
}

}  // namespace upcall::test
