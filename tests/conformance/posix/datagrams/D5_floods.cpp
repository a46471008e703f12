#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, D5_a_flood_of_datagrams_ends_each_send_once_and_breaks_nothing) {
    run([&]() -> task<> {
        auto receiver = udp::socket::bind("127.0.0.1:0").value();
        auto sender = udp::socket::open(address_family::ipv4).value();
        EXPECT_TRUE(sender.set_option(socket_option::send_buffer, 4096));
        const address where = receiver.local_address().value();
        const std::string text(8000, 'x');
        int sent = 0;
        int refused = 0;
        int ended = 0;
        scope sending(home().root());
        auto send = [&]() -> task<> {
            auto outcome = co_await sender.send_to(bytes_of(text), where);
            if (outcome)
                ++sent;
            else if (outcome.error() == errc::queue_full)
                ++refused;
            ++ended;
        };
        for (int count = 0; count < 500; ++count) sending.spawn_now(send(), "sender");
        co_await sending.join();
        EXPECT_EQ(ended, 500);
        EXPECT_EQ(sent + refused, 500);
        EXPECT_GE(sent, 64);
        // Whatever the kernel dropped, what arrives is whole.
        std::string room(9000, ' ');
        for (int count = 0; count < 3; ++count) {
            auto got = (co_await receiver.receive(bytes_in(room))).value();
            EXPECT_EQ(got.size, text.size());
        }
        EXPECT_TRUE(co_await sender.send_to(bytes_of("last"), where));
    });
}

}  // namespace upcall::test
