#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_kernel, B17_both_sides_know_each_others_address) {
    run([&]() -> task<> {
        auto listener = tcp::listener::bind("127.0.0.1:0").value();
        const address where = listener.local_address().value();
        EXPECT_NE(where.port(), 0);
        auto client = (co_await tcp::connect(where)).value();
        auto server = (co_await listener.accept()).value();
        EXPECT_EQ(client.peer_address(), where);
        EXPECT_EQ(server.local_address(), where);
        EXPECT_EQ(server.peer_address(), client.local_address());
    });
}

}  // namespace upcall::test
