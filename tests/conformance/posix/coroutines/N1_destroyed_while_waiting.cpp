#include <unistd.h>

#include <csignal>
#include <memory>

#include <upcall/runtime/program.hpp>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"
#include "support/child.hpp"

namespace upcall::test {

namespace {

task<> wait_to_read(byte_stream& from) {
    std::byte room[8];
    static_cast<void>(co_await from.read(room));
}

}  // namespace

TEST_P(every_driver,
       N1_destroying_a_frame_with_work_in_flight_ends_the_program_and_names_the_task) {
    const child_end end = run_in_child([&](std::string&) {
        ::dup2(1, 2);
        auto mine = another_loop();
        auto body = [&]() -> task<> {
            auto [client, server] = co_await connected();
            task<> lost = wait_to_read(server);
            auto frame = lost.frame();
            frame.promise().start_for(mine->root(), std::noop_coroutine());
            frame.resume();
            co_await turns(2);
            lost = {};
        };
        scope tasks(mine->root());
        tasks.spawn_now(body(), "careless");
        mine->run_until([&] { return tasks.size() == 0; });
        return 0;
    });
    EXPECT_EQ(end.signal, SIGABRT) << end;
}

TEST_P(every_driver, N1_a_task_that_never_ran_may_be_destroyed) {
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        {
            task<> unused = wait_to_read(server);
            task<> moved = std::move(unused);
        }
        EXPECT_TRUE(co_await client.write_all(bytes_of("x")));
        EXPECT_TRUE(co_await server.receive());
    });
}

}  // namespace upcall::test
