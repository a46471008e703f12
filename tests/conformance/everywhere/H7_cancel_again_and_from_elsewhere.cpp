#include <thread>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_kernel, H7_cancelling_twice_is_cancelling_once) {
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        std::byte room[8];
        running reading(home(), server.read(room));
        co_await turns(2);
        reading.cancel(cancel_cause::deadline);
        reading.cancel(cancel_cause::cancelled);
        reading.cancel(cancel_cause::deadline);
        co_await reading.ended();
        EXPECT_EQ(reading.outcome().error(), errc::deadline_exceeded) << "the first cause counts";
        reading.cancel();  // when it is over
    });
}

TEST_P(every_kernel, H7_another_thread_may_ask) {
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        std::byte room[8];
        running reading(home(), server.read(room));
        co_await turns(2);
        std::thread other(
            [&, box = home().remote()] { EXPECT_TRUE(home().post([&] { reading.cancel(); })); });
        co_await reading.ended();
        EXPECT_EQ(reading.outcome().error(), errc::cancelled);
        other.join();
    });
}

}  // namespace upcall::test
