#include <random>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, C10_a_large_write_through_a_small_buffer_arrives_whole) {
    constexpr std::size_t size = 500'000;
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        EXPECT_TRUE(client.set_option(socket_option::send_buffer, 16384));
        const std::string sent = counted_text(size);
        running writing(home(), client.write_all(bytes_of(sent)));
        std::minstd_rand draw(3);
        std::string got;
        std::string room(30'000, ' ');
        while (got.size() < size) {
            // Stalls now and then, and reads in pieces of any size.
            if (draw() % 16 == 0) co_await turns(static_cast<int>(draw() % 8));
            const std::size_t want = 1 + draw() % room.size();
            auto count = co_await server.read(bytes_in(room).first(want));
            CO_ASSERT(count);
            got.append(room, 0, *count);
        }
        EXPECT_TRUE(got == sent);
        co_await writing.ended();
        EXPECT_EQ(writing.outcome().bytes, size);
    });
}

}  // namespace upcall::test
