// A wait for a peer that is given up finds who has connected by then, also where none is accepted
// ahead. Went wrong: where a thread waits for each accept, only one that may take many was looked
// for, so a stop lost peers that were in the queue.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <upcall/io/unix.hpp>
#include <upcall/task/timeout.hpp>

#include "io/pairs.hpp"
#include "support/scratch_folder.hpp"

namespace upcall::testing {
namespace {

using namespace std::chrono_literals;

class last_looks_at_a_listener : public io_test {};
UPCALL_FOR_EVERY_LOOP(last_looks_at_a_listener);

/// Of Unix sockets: who has connected is in the queue, without any doubt.
tcp::listener listen_at(const std::string& path) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    path.copy(where.sun_path, sizeof where.sun_path - 1);
    EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&where), sizeof where), 0);
    EXPECT_EQ(::listen(fd, 64), 0);
    return tcp::listener::adopt(fd).value();
}

TEST_P(last_looks_at_a_listener, find_peers_where_none_is_accepted_ahead) {
    const scratch_folder folder;
    run([&]() -> task<> {
        auto listener = listen_at(folder / "socket");
        listener.accept_ahead(false);
        for (int round = 0; round < 20; ++round) {
            const auto none = co_await timeout(0s, listener.accept());
            EXPECT_FALSE(none);
            const auto here = co_await unix_socket::connect(folder / "socket");
            EXPECT_TRUE(here);
            const auto there = co_await timeout(0s, listener.accept());
            EXPECT_TRUE(there) << round;
        }
    });
}

}  // namespace
}  // namespace upcall::testing
