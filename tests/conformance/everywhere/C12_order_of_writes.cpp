#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_kernel, C12_writes_in_flight_keep_their_order) {
    constexpr std::size_t writes = 32;
    constexpr std::size_t each = 20'000;  // more together than any socket's buffers hold here
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        const std::string sent = counted_text(writes * each);
        scope writing(home().root());
        std::size_t done = 0;
        auto write_part = [&](std::size_t part) -> task<> {
            auto wrote = co_await client.write_all(bytes_of(sent).subspan(part * each, each));
            EXPECT_TRUE(wrote) << wrote.cause.message();
            EXPECT_EQ(wrote.bytes, each);
            EXPECT_EQ(done, part) << "completions follow the order of starting";
            ++done;
        };
        for (std::size_t part = 0; part < writes; ++part)
            writing.spawn_now(write_part(part), "writer");
        co_await turns(2);
        std::string got(sent.size(), ' ');
        EXPECT_TRUE(co_await server.read_exactly(bytes_in(got)));
        EXPECT_TRUE(got == sent);
        co_await writing.join();
        EXPECT_EQ(done, writes);
    });
}

}  // namespace upcall::test
