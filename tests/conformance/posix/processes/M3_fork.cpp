#include <sys/wait.h>
#include <unistd.h>

#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, M3_a_child_that_forgets_the_loop_or_executes_another_program_harms_nothing) {
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        auto listener = tcp::listener::bind("127.0.0.1:0").value();
        running reading(home(), server.receive());
        running accepting(home(), listener.accept());
        running waiting(home(), sleep(std::chrono::milliseconds(5)));
        co_await turns(2);
        for (const bool executes : {false, true}) {
            const pid_t child = ::fork();
            if (child == 0) {
                if (executes) ::execl("/bin/true", "true", nullptr);
                // What the parent had open is closed here, and the parent does not mind.
                for (int fd = 3; fd < 256; ++fd) ::close(fd);
                ::_exit(0);
            }
            int status = -1;
            EXPECT_EQ(::waitpid(child, &status, 0), child);
            EXPECT_EQ(status, 0);
        }
        EXPECT_FALSE(reading.done());
        EXPECT_TRUE(co_await client.write_all(bytes_of("as before")));
        co_await reading.ended();
        CO_ASSERT(reading.outcome());
        EXPECT_EQ(reading.outcome()->text(), "as before");
        auto another = co_await tcp::connect(listener.local_address().value());
        EXPECT_TRUE(another);
        co_await accepting.ended();
        EXPECT_TRUE(accepting.outcome());
        co_await waiting.ended();
        EXPECT_TRUE(waiting.outcome());
        reading.outcome() = failure(errc::closed);
    });
}

// Went wrong: the child waited for threads of the pool that were its parent's.
TEST_P(every_driver, M3_a_child_with_a_loop_of_its_own_has_threads_of_its_own) {
    const auto use_the_pool = [this]() -> task<> {
        const auto opened = co_await file::open(scratch("data"), open_write | open_create);
        EXPECT_TRUE(opened);
    };
    run(use_the_pool);
    in_child([&] { run(use_the_pool); });
}

}  // namespace upcall::test
