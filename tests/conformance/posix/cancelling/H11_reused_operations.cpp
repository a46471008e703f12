#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, H11_a_cancellation_never_reaches_the_next_operation_in_the_same_place) {
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        for (int round = 0; round < 1000; ++round) {
            std::byte byte{};
            {
                running first(home(), server.read({&byte, 1}));
                if (round % 2) co_await turns(round % 3);
                first.cancel();
                co_await first.ended();
                EXPECT_EQ(first.outcome().error(), errc::cancelled);
            }
            // Very likely at the same address, and at once.
            running second(home(), server.read({&byte, 1}));
            co_await turns(round % 4);
            EXPECT_FALSE(second.done());
            EXPECT_TRUE(co_await client.write_all(bytes_of("x")));
            co_await second.ended();
            EXPECT_EQ(second.outcome().value_or(0), 1U);
        }
    });
}

}  // namespace upcall::test
