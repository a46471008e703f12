#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, I4_a_closed_stream_whose_socket_lives_on_elsewhere_makes_no_events) {
    run([&]() -> task<> {
        auto [mine, peer] = raw_pair();
        raw_fd elsewhere(::fcntl(mine.get(), F_DUPFD_CLOEXEC, 0));
        auto stream = tcp::stream::adopt(mine.release()).value();
        std::byte byte{};
        running reading(home(), stream.read({&byte, 1}));
        co_await turns(2);
        stream = {};
        co_await reading.ended();
        EXPECT_EQ(reading.outcome().error(), errc::closed);
        co_await turns(3);
        raw_send(peer, "somebody else's");
        const std::uint64_t before = home().turns();
        EXPECT_TRUE(co_await sleep(std::chrono::milliseconds(10)));
        EXPECT_LE(home().turns() - before, 16U);
        EXPECT_EQ(raw_receive(elsewhere), "somebody else's");
    });
}

}  // namespace upcall::test
