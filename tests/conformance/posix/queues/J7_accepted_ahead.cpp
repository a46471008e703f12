#include <vector>

#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, J7_connections_that_nobody_asked_for_wait_in_the_kernel_beyond_a_bound) {
    constexpr std::size_t peers = 300;
    run([&]() -> task<> {
        auto listener = tcp::listener::bind("127.0.0.1:0").value();
        const address where = listener.local_address().value();
        running accepting(home(), listener.accept());
        co_await turns(2);
        std::vector<raw_fd> clients;
        const std::size_t open = open_sockets();
        for (std::size_t count = 0; count < peers; ++count) {
            clients.push_back(raw_connect(where));
            if (count % 8 == 0) co_await turns(1);
        }
        co_await accepting.ended();
        EXPECT_TRUE(accepting.outcome());
        co_await turns(5);
        // The documented bound is 64; what one look at the kernel brought comes on top.
        EXPECT_LE(open_sockets() - open - clients.size(), 64U + 10U);
        for (std::size_t count = 1; count < peers; ++count) CO_ASSERT(co_await listener.accept());
    });
}

}  // namespace upcall::test
