#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, H1_what_is_cancelled_in_the_turn_of_its_start_never_happened) {
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        auto listener = tcp::listener::bind("127.0.0.1:0").value();
        std::string room(8, '-');
        running not_even_started(home(), server.read(bytes_in(room)));
        not_even_started.cancel();
        running reading(home(), server.read(bytes_in(room)));
        running accepting(home(), listener.accept());
        co_await yield();  // they have started; the driver has not been polled since
        reading.cancel();
        accepting.cancel();
        co_await not_even_started.ended();
        co_await reading.ended();
        co_await accepting.ended();
        EXPECT_EQ(not_even_started.outcome().error(), errc::cancelled);
        EXPECT_EQ(reading.outcome().error(), errc::cancelled);
        EXPECT_EQ(accepting.outcome().error(), errc::cancelled);
        EXPECT_TRUE(co_await client.write_all(bytes_of("12345678")));
        EXPECT_TRUE(co_await server.read_exactly(bytes_in(room)));
        EXPECT_EQ(room, "12345678");
        auto late = co_await tcp::connect(listener.local_address().value());
        EXPECT_TRUE(late);
        EXPECT_TRUE(co_await listener.accept());
    });
}

}  // namespace upcall::test
