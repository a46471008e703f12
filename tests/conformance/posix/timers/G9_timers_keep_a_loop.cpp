#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, G9_a_timer_keeps_the_loop_alive_unless_it_is_in_the_background) {
    int fired = 0;
    auto wait = [&](duration length) -> task<> {
        if (co_await sleep(length)) ++fired;
    };
    scope serving(home().background());
    serving.spawn_now(wait(std::chrono::hours(1)), "serving");
    home().run();
    EXPECT_EQ(fired, 0);

    scope working(home().root());
    working.spawn_now(wait(std::chrono::milliseconds(2)), "working");
    EXPECT_TRUE(home().alive());
    home().run();
    EXPECT_EQ(fired, 1);
    EXPECT_EQ(working.size(), 0U);
    EXPECT_FALSE(home().alive());

    serving.cancel();
    turn_until([&] { return serving.size() == 0; });
    EXPECT_EQ(fired, 1);
}

}  // namespace upcall::test
