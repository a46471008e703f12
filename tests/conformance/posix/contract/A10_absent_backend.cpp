#include <sys/syscall.h>

#include <upcall/runtime/program.hpp>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"
#include "support/child.hpp"
#include "support/seccomp.hpp"

namespace upcall::test {

namespace {

task<> echo_once() {
    auto [client, server] = co_await connected();
    EXPECT_TRUE(co_await client.write_all(bytes_of("as before")));
    EXPECT_TRUE(co_await client.shut_down_writing());
    const auto got = co_await read_to_end(server);
    EXPECT_EQ(got.text, "as before");
}

void fall_back() {
    selection_report report;
    auto fallen_back = make_loop({.name = "auto", .uring = {}}, {}, &report);
    ASSERT_TRUE(fallen_back) << fallen_back.error().message();
    EXPECT_EQ(report.chosen, "epoll");
    EXPECT_NE(report.to_string().find("uring: io_uring_setup"), std::string::npos)
        << report.to_string();
    auto named = make_loop({.name = "uring", .uring = {}}, {});
    ASSERT_FALSE(named) << "a choice that was made is not overruled";
    EXPECT_EQ(named.error(), std::errc::operation_not_permitted);
    program running(**fallen_back);
    running.tasks().spawn_now(echo_once(), "echo");
    EXPECT_FALSE(running.run());
}

}  // namespace

TEST(this_host, A10_without_io_uring_a_loop_falls_back_and_says_so) {
    const auto end = run_in_child([](std::string&) {
        forbid({{SYS_io_uring_setup, EPERM}});
        fall_back();
        std::fflush(nullptr);
        return testing::Test::HasFailure() ? 1 : 0;
    });
    EXPECT_TRUE(end.succeeded()) << end;
}

}  // namespace upcall::test
