#include <unistd.h>

#include <csignal>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"
#include "support/child.hpp"

namespace upcall::test {

TEST_P(every_driver, L9_a_loop_that_is_run_from_inside_itself_ends_the_program_instead_of_hanging) {
    const child_end end = run_in_child([&](std::string&) {
        ::dup2(1, 2);
        auto mine = another_loop();
        mine->post([&] { mine->turn(loop::wait::allowed); });
        mine->run();
        return 0;
    });
    EXPECT_EQ(end.signal, SIGABRT) << end;
}

}  // namespace upcall::test
