#include "conformance/fixture.hpp"
#include "conformance/posix/network.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, B5_a_connection_to_oneself_counts_as_refused) {
    in_child(
        [&] {
            run([&]() -> task<> {
                // The only port that the kernel may pick for the client is the one it asks for.
                auto to_itself = co_await tcp::connect(address::loopback(40000));
                CO_ASSERT(!to_itself);
                EXPECT_EQ(to_itself.error(), std::errc::connection_refused);
            });
        },
        []() -> std::string {
            std::string refused = enter_own_network();
            if (refused.empty()) refused = set_network("ip_local_port_range", "40000 40000");
            return refused;
        });
}

}  // namespace upcall::test
