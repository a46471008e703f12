// A test that is killed takes the programs along which it has started.
#include <string>

#include "support/child.hpp"
#include "support/program.hpp"

namespace upcall::testing {
namespace {

TEST(program_of_a_test, ends_with_it) {
#ifndef __linux__
    GTEST_SKIP() << "only Linux tells a process that its parent has ended";
#endif
    // The program inherits the child's end of the pipe to here: the child has not ended as long as
    // the program has not.
    const test::child_end end = test::run_in_child([](std::string&) {
        program server("echo_server", {"--listen", "127.0.0.1:0"});
        if (server.line_after("listening on ").empty()) return 1;
        ::kill(::getpid(), SIGKILL);
        return 2;
    });
    EXPECT_EQ(end.signal, SIGKILL) << end;
    EXPECT_FALSE(end.timed_out) << end;
}

}  // namespace
}  // namespace upcall::testing
