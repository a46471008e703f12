#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_kernel, B18_closing_a_listener_ends_its_accepts_and_refuses_who_waited) {
    run([&]() -> task<> {
        auto listener = tcp::listener::bind("127.0.0.1:0").value();
        const address where = listener.local_address().value();
        auto waiting_peer = (co_await tcp::connect(where)).value();
        {
            auto first = co_await listener.accept();
            EXPECT_TRUE(first);
        }
        auto never_accepted = (co_await tcp::connect(where)).value();
        co_await turns(3);
        auto accepted = co_await listener.accept();
        EXPECT_TRUE(accepted);
        running first(home(), listener.accept());
        running second(home(), listener.accept());
        co_await turns(3);
        EXPECT_FALSE(first.done());
        EXPECT_FALSE(second.done());
        const std::size_t open = open_sockets();
        listener = {};
        co_await first.ended();
        co_await second.ended();
        EXPECT_EQ(first.outcome().error(), errc::closed);
        EXPECT_EQ(second.outcome().error(), errc::closed);
        // The kernel listens until the last accept has let go of the socket.
        while (home().background().busy()) co_await turns(1);
        while (open > 0 && open_sockets() >= open) co_await turns(1);
        auto nobody_listens = co_await tcp::connect(where);
        CO_ASSERT(!nobody_listens);
        EXPECT_EQ(nobody_listens.error(), std::errc::connection_refused);
    });
}

}  // namespace upcall::test
