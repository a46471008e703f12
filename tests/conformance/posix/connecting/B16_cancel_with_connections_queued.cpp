#include <vector>

#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, B16_connections_that_came_before_a_cancellation_are_still_there) {
    constexpr std::size_t count = 40;
    run([&]() -> task<> {
        auto listener = tcp::listener::bind("127.0.0.1:0").value();
        const address where = listener.local_address().value();
        running first(home(), listener.accept());
        running second(home(), listener.accept());
        co_await turns(2);
        std::vector<raw_fd> clients;
        for (std::size_t at = 0; at < count; ++at) clients.push_back(raw_connect(where));
        second.cancel();
        co_await first.ended();
        co_await second.ended();
        EXPECT_TRUE(first.outcome());
        EXPECT_FALSE(second.outcome());
        std::size_t accepted = 1;
        for (; accepted < count; ++accepted) CO_ASSERT(co_await listener.accept());
        // Those that nobody asks for are closed with the listener.
        clients.push_back(raw_connect(where));
        running third(home(), listener.accept());
        running fourth(home(), listener.accept());
        co_await third.ended();
        clients.push_back(raw_connect(where));
        clients.push_back(raw_connect(where));
        co_await fourth.ended();
    });
}

}  // namespace upcall::test
