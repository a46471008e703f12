#include <vector>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

namespace {

struct counting_timer : timer_node {
    loop* home = nullptr;
    int fired = 0;
    int again = 0;
    timer_node* removes = nullptr;

    explicit counting_timer(loop& at) : home(&at) {
        fire = [](timer_node& node) noexcept {
            auto& self = static_cast<counting_timer&>(node);
            ++self.fired;
            if (self.removes && self.removes->armed()) self.home->timers().remove(*self.removes);
            if (self.again-- > 0) self.home->timers().add(self, self.home->now());
        };
    }
};

}  // namespace

TEST_P(every_driver, G3_a_timer_may_arm_itself_and_remove_others_while_it_fires) {
    run([&]() -> task<> {
        counting_timer first(home());
        counting_timer removed(home());
        counting_timer last(home());
        first.removes = &removed;
        first.again = 3;
        const time_point deadline = home().now() + std::chrono::milliseconds(1);
        home().timers().add(first, deadline);
        home().timers().add(removed, deadline);
        home().timers().add(last, deadline);
        EXPECT_TRUE(co_await sleep(std::chrono::milliseconds(3)));
        co_await turns(5);
        EXPECT_EQ(first.fired, 4);
        EXPECT_EQ(removed.fired, 0) << "removed by one that was due with it";
        EXPECT_EQ(last.fired, 1);
        EXPECT_TRUE(home().timers().empty());
    });
}

}  // namespace upcall::test
