#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, D8_sequenced_packets_keep_their_boundaries_and_end) {
    run([&]() -> task<> {
        auto [first, second] = unix_socket::sequential_pair().value();
        std::string room(100, ' ');
        for (const char* text : {"one", "two and more", "3"})
            EXPECT_TRUE(co_await first.send(bytes_of(text)));
        for (const std::string text : {"one", "two and more", "3"}) {
            auto got = (co_await second.receive(bytes_in(room))).value();
            EXPECT_EQ(room.substr(0, got.size), text);
        }
        EXPECT_EQ((co_await first.send({})).error(), std::errc::invalid_argument);
        EXPECT_TRUE(co_await first.close());
        EXPECT_EQ((co_await second.receive(bytes_in(room))).error(), errc::end_of_stream);
        EXPECT_EQ((co_await second.send(bytes_of("x"))).error(), std::errc::broken_pipe);
    });
}

TEST_P(every_driver, D8_unix_datagrams_wait_for_room_and_lose_nothing) {
    run([&]() -> task<> {
        const std::string path = scratch("inbox");
        auto inbox = unix_socket::datagram::bind(path).value();
        auto sender = unix_socket::datagram::open().value();
        const address where = address::unix_path(path).value();
        constexpr int count = 60;
        int sent = 0;
        scope sending(home().root());
        auto send = [&](int number) -> task<> {
            EXPECT_TRUE(co_await sender.send_to(bytes_of(std::to_string(number)), where));
            ++sent;
        };
        for (int number = 0; number < count; ++number) sending.spawn_now(send(number), "sender");
        co_await turns(5);
        EXPECT_LT(sent, count) << "the queue of the receiver is full (net.unix.max_dgram_qlen)";
        std::string room(100, ' ');
        for (int number = 0; number < count; ++number) {
            auto got = (co_await inbox.receive(bytes_in(room))).value();
            EXPECT_EQ(room.substr(0, got.size), std::to_string(number));
        }
        co_await sending.join();
        EXPECT_EQ(sent, count);
        EXPECT_TRUE(co_await inbox.close());
        EXPECT_EQ((co_await sender.send_to(bytes_of("x"), where)).error(),
                  std::errc::connection_refused);
    });
}

}  // namespace upcall::test
