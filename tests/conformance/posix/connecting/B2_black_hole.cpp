#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, B2_a_connect_that_nobody_answers_ends_when_its_time_is_up) {
    run([&]() -> task<> {
        black_hole hole;
        const std::size_t open = open_sockets();
        {
            running connecting(home(), tcp::connect(hole.where));
            const time_point before = home().now();
            EXPECT_TRUE(co_await sleep(std::chrono::milliseconds(30)));
            EXPECT_FALSE(connecting.done()) << "the queue was not full after all";
            connecting.cancel(cancel_cause::deadline);
            co_await connecting.ended();
            EXPECT_GE(home().now() - before, std::chrono::milliseconds(30));
            CO_ASSERT(!connecting.outcome());
            EXPECT_TRUE(connecting.outcome().error() == errc::deadline_exceeded ||
                        connecting.outcome().error() == errc::interrupted)
                << connecting.outcome().error().message();
        }
        while (open_sockets() > open) co_await turns(1);
    });
}

}  // namespace upcall::test
