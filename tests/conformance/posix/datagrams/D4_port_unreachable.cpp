#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, D4_an_unreachable_port_is_told_to_who_is_connected_and_ends_nothing) {
    run([&]() -> task<> {
        address nobody;
        {
            auto gone = udp::socket::bind("127.0.0.1:0").value();
            nobody = gone.local_address().value();
            EXPECT_TRUE(co_await gone.close());
        }
        auto connected_socket = udp::socket::bind("127.0.0.1:0").value();
        EXPECT_TRUE(co_await connected_socket.connect(nobody));
        std::byte room[16];
        running receiving(home(), connected_socket.receive(room));
        co_await turns(2);
        EXPECT_TRUE(co_await connected_socket.send(bytes_of("anybody?")));
        co_await receiving.ended();
        EXPECT_EQ(receiving.outcome().error(), std::errc::connection_refused);
        auto back = udp::socket::bind(nobody).value();
        EXPECT_TRUE(co_await connected_socket.send(bytes_of("now")));
        EXPECT_EQ((co_await back.receive(room))->size, 3U);

        auto free_socket = udp::socket::bind("127.0.0.1:0").value();
        EXPECT_TRUE(co_await back.close());
        for (int round = 0; round < 3; ++round)
            EXPECT_TRUE(co_await free_socket.send_to(bytes_of("anybody?"), nobody));
        running waiting(home(), free_socket.receive(room));
        co_await turns(3);
        EXPECT_FALSE(waiting.done()) << "who is not connected is not told";
        EXPECT_TRUE(co_await connected_socket.connect(free_socket.local_address().value()));
        EXPECT_TRUE(co_await connected_socket.send(bytes_of("here")));
        co_await waiting.ended();
        EXPECT_EQ(waiting.outcome()->size, 4U);
    });
}

}  // namespace upcall::test
