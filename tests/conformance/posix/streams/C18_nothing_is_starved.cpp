#include <random>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, C18_many_small_messages_in_bursts_lose_no_wake_up) {
    constexpr std::size_t messages = 50'000;
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        auto write = [&]() -> task<> {
            std::minstd_rand draw(5);
            for (std::size_t at = 0; at < messages; ++at) {
                const std::string text = counted_text(8, at);
                EXPECT_TRUE(co_await client.write_all(bytes_of(text)));
                if (draw() % 64 == 0) co_await turns(1);
            }
            EXPECT_TRUE(co_await client.shut_down_writing());
        };
        scope writing(home().root());
        writing.spawn_now(write(), "writer");
        std::string got(8, ' ');
        for (std::size_t at = 0; at < messages; ++at) {
            EXPECT_TRUE(co_await server.read_exactly(bytes_in(got)));
            EXPECT_EQ(got, counted_text(8, at));
        }
        EXPECT_EQ((co_await server.read_exactly(bytes_in(got))).cause, errc::end_of_stream);
        co_await writing.join();
    });
}

}  // namespace upcall::test
