#include <csignal>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"
#include "support/child.hpp"

namespace upcall::test {

TEST_P(every_driver, N7_a_scope_that_goes_before_its_tasks_is_reported_by_name) {
    const child_end end = run_in_child([&](std::string&) {
        auto mine = another_loop();
        auto wait = []() -> task<> { static_cast<void>(co_await sleep_until(never)); };
        {
            scope forgotten(mine->root());
            forgotten.spawn_now(wait(), "left over");
            mine->turn(loop::wait::none);
        }
        return 0;
    });
    EXPECT_EQ(end.signal, SIGABRT) << end;
}

}  // namespace upcall::test
