#include <sys/resource.h>
#include <unistd.h>

#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, K6_without_threads_what_needs_one_fails_cleanly_and_recovers) {
    in_child(
        [&] {
            const std::string path = "/proc/version";
            run([&]() -> task<> {
                {
                    const lowered_limit none(RLIMIT_NPROC, 0);
                    auto opened = co_await file::open(path, open_read);
                    CO_ASSERT(!opened);
                    EXPECT_EQ(opened.error(), std::errc::resource_unavailable_try_again);
                    auto listener = tcp::listener::bind("127.0.0.1:0").value();
                    running accepting(home(), listener.accept());
                    co_await turns(3);
                    if (runs_on("blocking")) {
                        EXPECT_TRUE(accepting.done());
                        EXPECT_EQ(accepting.outcome().error(),
                                  std::errc::resource_unavailable_try_again);
                    } else {
                        auto client = co_await tcp::connect(listener.local_address().value());
                        EXPECT_TRUE(client);
                    }
                    co_await accepting.ended();
                }
                // A refused thread is not asked for again at once.
                auto opened = co_await file::open(path, open_read);
                for (int tries = 0; !opened && tries < 500; ++tries) {
                    EXPECT_TRUE(co_await sleep(std::chrono::milliseconds(10)));
                    opened = co_await file::open(path, open_read);
                }
                CO_ASSERT(opened);
                std::byte room[8];
                EXPECT_EQ((co_await opened->read_at(room, 0)).value_or(0), 8U);
                auto [client, server] = co_await connected();
                EXPECT_TRUE(co_await client.write_all(bytes_of("x")));
                EXPECT_TRUE(co_await server.receive());
            });
        },
        []() -> std::string {
            if (::getuid() != 0) return "only the superuser may become somebody with no process";
            // A user of whom no other process runs, so that the limit counts this one alone.
            return ::setuid(64999) == 0 ? "" : "the user cannot be changed";
        });
}

}  // namespace upcall::test
