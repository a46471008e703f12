#include <vector>

#include "conformance/fixture.hpp"
#include "conformance/posix/network.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, B6_out_of_ports_is_an_error_that_passes) {
    in_child(
        [&] {
            run([&]() -> task<> {
                auto listener = tcp::listener::bind("127.0.0.1:7000").value();
                const address where = listener.local_address().value();
                std::vector<tcp::stream> clients;
                for (int port = 0; port < 4; ++port)
                    clients.push_back((co_await tcp::connect(where)).value());
                auto fifth = co_await tcp::connect(where);
                CO_ASSERT(!fifth);
                EXPECT_EQ(fifth.error(), std::errc::address_not_available);
                // A reset leaves nothing in TIME_WAIT.
                EXPECT_TRUE(clients.front().set_option(socket_option::linger_seconds, 0));
                EXPECT_TRUE(co_await clients.front().close());
                auto again = co_await tcp::connect(where);
                EXPECT_TRUE(again) << again.error().message();
            });
        },
        []() -> std::string {
            std::string refused = enter_own_network();
            if (refused.empty()) refused = set_network("ip_local_port_range", "40000 40003");
            return refused;
        });
}

}  // namespace upcall::test
