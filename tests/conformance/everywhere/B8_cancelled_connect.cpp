#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_kernel, B8_a_cancelled_connect_ends_and_closes_its_socket) {
    run([&]() -> task<> {
        auto listener = tcp::listener::bind("127.0.0.1:0").value();
        const address where = listener.local_address().value();
        const std::size_t open = open_sockets();
        // The sooner, the likelier that nothing has happened yet.
        for (int patience = 0; patience < 4; ++patience) {
            {
                running connecting(home(), tcp::connect(where));
                if (patience > 0) co_await turns(patience - 1);
                connecting.cancel();
                co_await connecting.ended();
                if (auto& outcome = connecting.outcome(); !outcome) {
                    EXPECT_TRUE(outcome.error() == errc::cancelled ||
                                outcome.error() == errc::interrupted)
                        << outcome.error().message();
                }
            }
            // Whether it came through or not, nothing of it is left.
            while (open_sockets() > open) co_await turns(1);
        }
        // Those that came through wait to be accepted; they must not stand in the way.
        running connecting(home(), tcp::connect(where));
        co_await connecting.ended();
        EXPECT_TRUE(connecting.outcome());
        EXPECT_TRUE(co_await listener.accept());
    });
}

}  // namespace upcall::test
