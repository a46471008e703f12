#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"
#include "support/child.hpp"

namespace upcall::test {

TEST_P(every_driver, M5_a_process_that_was_stopped_goes_on_where_it_was) {
    // The child talks to itself and sleeps; the parent stops it again and again.
    const pid_t child = ::fork();
    if (child == 0) {
        child_detail::be_the_child(1, [&](std::string&) {
            std::unique_ptr<loop> mine = another_loop();
            auto talk = [&]() -> task<> {
                auto [client, server] = co_await connected();
                for (int round = 0; round < 100; ++round) {
                    std::byte byte{};
                    EXPECT_TRUE(co_await client.write_all(bytes_of("x")));
                    EXPECT_TRUE(co_await server.read_exactly({&byte, 1}));
                    const time_point start = mine->via().now();
                    EXPECT_TRUE(co_await sleep(std::chrono::milliseconds(1)));
                    EXPECT_GE(mine->via().now() - start, std::chrono::milliseconds(1));
                }
            };
            scope tasks(mine->root());
            tasks.spawn_now(talk(), "talk");
            mine->run_until([&] { return tasks.size() == 0; });
            return HasFailure() ? 1 : 0;
        });
    }
    int status = 0;
    int stops = 0;
    for (;;) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        ::kill(child, SIGSTOP);
        if (::waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status)) break;
        ++stops;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        ::kill(child, SIGCONT);
    }
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    EXPECT_GT(stops, 3);
}

}  // namespace upcall::test
