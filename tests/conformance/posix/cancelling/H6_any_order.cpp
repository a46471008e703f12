#include "conformance/fixture.hpp"
#include "conformance/plain_operation.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, H6_a_value_that_meets_its_cancellation_is_told_once) {
    run([&]() -> task<> {
        auto [mine, peer] = raw_pair();
        handle socket = home().via().adopt(mine.release(), handle_kind::stream).value();
        int values = 0;
        for (int round = 0; round < 200; ++round) {
            std::byte byte{};
            running reading(home(), plain({op_kind::read, socket.record(), &byte, 1}));
            co_await turns(round % 3);
            // First one, then the other: both are under way when the driver looks next.
            if (round % 2) raw_send(peer, "x");
            reading.cancel();
            if (round % 2 == 0) raw_send(peer, "x");
            co_await reading.ended();
            if (reading.outcome()) {
                ++values;
            } else {
                EXPECT_EQ(reading.outcome().error(), errc::cancelled);
                auto rest = co_await plain({op_kind::read, socket.record(), &byte, 1});
                EXPECT_EQ(rest, 1) << "it is still there";
            }
        }
        EXPECT_GE(values, 0);
    });
}

}  // namespace upcall::test
