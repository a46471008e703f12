#include "conformance/fixture.hpp"
#include "conformance/posix/network.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, B3_the_systems_own_timeout_is_told_from_ours) {
    in_child(
        [&] {
            run([&]() -> task<> {
                black_hole hole;
                auto timed_out = co_await tcp::connect(hole.where);
                CO_ASSERT(!timed_out);
                EXPECT_EQ(timed_out.error(), std::errc::timed_out);
                EXPECT_NE(timed_out.error(), errc::deadline_exceeded);
            });
        },
        []() -> std::string {
            std::string refused = enter_own_network();
            if (refused.empty()) refused = set_network("tcp_syn_retries", "1");
            // Older kernels double the time from the first try on, and have no such setting.
            if (refused.empty()) static_cast<void>(set_network("tcp_syn_linear_timeouts", "0"));
            return refused;
        });
}

}  // namespace upcall::test
