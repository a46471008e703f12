#include <cstdlib>

#include "conformance/fixture.hpp"
#include "conformance/posix/network.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, B4_an_unreachable_network_host_or_a_prohibition_is_named) {
    in_child(
        [&] {
            run([&]() -> task<> {
                const auto attempt = [](const char* where) {
                    return tcp::connect(address::parse(where).value());
                };
                auto no_route = co_await attempt("192.0.2.1:9");
                EXPECT_EQ(no_route.error(), std::errc::network_unreachable);
                auto unreachable = co_await attempt("198.51.100.1:9");
                EXPECT_EQ(unreachable.error(), std::errc::host_unreachable);
                auto prohibited = co_await attempt("203.0.113.1:9");
                EXPECT_EQ(prohibited.error(), std::errc::permission_denied);
            });
        },
        []() -> std::string {
            if (std::string refused = enter_own_network(); !refused.empty()) return refused;
            if (std::system("ip route add unreachable 198.51.100.0/24 && "
                            "ip route add prohibit 203.0.113.0/24") != 0)
                return "routes cannot be set: is iproute2 installed?";
            return "";
        });
}

}  // namespace upcall::test
