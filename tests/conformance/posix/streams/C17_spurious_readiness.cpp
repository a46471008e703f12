#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, C17_readiness_without_bytes_completes_nothing) {
    run([&]() -> task<> {
        auto [mine, peer] = raw_pair();
        // Somebody else who reads from the same socket takes the bytes that made it ready.
        raw_fd rival(::fcntl(mine.get(), F_DUPFD_CLOEXEC, 0));
        auto stream = tcp::stream::adopt(mine.get()).value();
        mine.release();
        int stolen = 0;
        for (int round = 0; round < 100; ++round) {
            std::string room(16, ' ');
            running reading(home(), stream.read(bytes_in(room)));
            if (round % 2) co_await turns(1);
            raw_send(peer, "taken");
            if (raw_receive(rival) == "taken") {
                ++stolen;
                co_await turns(2);
                EXPECT_FALSE(reading.done());
                raw_send(peer, "given");
            }
            co_await reading.ended();
            EXPECT_EQ(reading.outcome().value_or(0), 5U);
        }
        if (!runs_on("blocking") && !runs_on("uring")) {
            EXPECT_EQ(stolen, 100);
        }
    });
}

}  // namespace upcall::test
