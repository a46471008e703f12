// A wait that is given up finds what has arrived by then, whoever was to tell of it.
#include <upcall/io/unix.hpp>
#include <upcall/task/timeout.hpp>

#include "pairs.hpp"
#include "support/scratch_folder.hpp"

namespace upcall::testing {
namespace {

using namespace std::chrono_literals;

class last_looks : public io_test {};
UPCALL_FOR_EVERY_LOOP(last_looks);

// Went wrong: a deadline that passed in the turn that had read the bytes won, and where a thread
// waits for each receive, so did one before the thread had its turn on a processor. A server that
// was told to stop ended connections with requests in them.
TEST_P(last_looks, find_bytes_that_have_arrived) {
    run([]() -> task<> {
        auto [here, there] = unix_socket::pair().value();
        for (int round = 0; round < 20; ++round) {
            // The receive stays armed, and is nobody's.
            const auto none = co_await timeout(0s, there.receive());
            EXPECT_FALSE(none);
            const auto sent = co_await here.write_all(bytes_of("ping"));
            EXPECT_TRUE(sent);
            const auto got = co_await timeout(0s, there.receive());
            EXPECT_EQ(got ? got->text() : "nothing", "ping");
        }
    });
}

TEST_P(last_looks, find_them_with_a_receive_that_has_just_been_armed) {
    run([]() -> task<> {
        for (int round = 0; round < 20; ++round) {
            auto [here, there] = unix_socket::pair().value();
            const auto sent = co_await here.write_all(bytes_of("ping"));
            EXPECT_TRUE(sent);
            const auto got = co_await timeout(0s, there.receive());
            EXPECT_TRUE(got);
        }
    });
}

TEST_P(last_looks, find_peers_that_have_connected) {
    const scratch_folder folder;
    run([&]() -> task<> {
        auto listener = unix_socket::listener::bind(folder / "socket").value();
        for (int round = 0; round < 20; ++round) {
            const auto none = co_await timeout(0s, listener.accept());
            EXPECT_FALSE(none);
            const auto here = co_await unix_socket::connect(folder / "socket");
            EXPECT_TRUE(here);
            const auto there = co_await timeout(0s, listener.accept());
            EXPECT_TRUE(there);
        }
    });
}

}  // namespace
}  // namespace upcall::testing
