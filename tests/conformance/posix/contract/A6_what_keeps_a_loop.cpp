#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, A6_a_loop_is_alive_while_something_in_the_foreground_can_complete) {
    EXPECT_FALSE(home().alive());
    {
        running sleeping(home(), sleep_until(never));
        EXPECT_TRUE(home().alive()) << "a task that has yet to start";
        home().turn(loop::wait::none);
        EXPECT_TRUE(home().alive()) << "and one that waits";
        sleeping.cancel();
        home().run();
        EXPECT_TRUE(sleeping.done());
    }
    EXPECT_FALSE(home().alive());

    // What is in the background keeps nothing alive, however much it waits for.
    auto [mine, peer] = raw_pair();
    const int number = mine.release();
    auto read = [&]() -> task<> {
        auto stream = tcp::stream::adopt(number).value();
        std::byte byte{};
        EXPECT_EQ((co_await stream.read({&byte, 1})).error(), errc::cancelled);
    };
    scope serving(home().background());
    serving.spawn_now(read(), "serving");
    home().run();
    EXPECT_EQ(serving.size(), 1U);
    EXPECT_FALSE(home().alive());
    serving.cancel();
    turn_until([&] { return serving.size() == 0; });
}

}  // namespace upcall::test
