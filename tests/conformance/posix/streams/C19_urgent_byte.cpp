#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, C19_an_urgent_byte_disturbs_nobody) {
    run([&]() -> task<> {
        auto listener = tcp::listener::bind("127.0.0.1:0").value();
        raw_fd peer = raw_connect(listener.local_address().value());
        auto stream = (co_await listener.accept()).value();
        raw_send(peer, "before");
        EXPECT_EQ(::send(peer.get(), "!", 1, MSG_OOB), 1);
        std::string got(6, ' ');
        EXPECT_TRUE(co_await stream.read_exactly(bytes_in(got)));
        EXPECT_EQ(got, "before");
        running reading(home(), stream.read_exactly(bytes_in(got).first(5)));
        co_await turns(2);
        EXPECT_FALSE(reading.done()) << "the urgent byte is not among the others";
        const std::uint64_t turns_before = home().turns();
        EXPECT_TRUE(co_await sleep(std::chrono::milliseconds(10)));
        EXPECT_LE(home().turns() - turns_before, 20U) << "its readiness does not spin";
        raw_send(peer, "after");
        co_await reading.ended();
        EXPECT_EQ(got.substr(0, 5), "after");
    });
}

}  // namespace upcall::test
