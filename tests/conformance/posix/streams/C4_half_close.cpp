#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, C4_a_half_closed_stream_still_receives_everything) {
    constexpr std::size_t size = 10'000'000;
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        EXPECT_TRUE(co_await client.shut_down_writing());
        std::byte room[8];
        EXPECT_EQ((co_await server.read(room)).error(), errc::end_of_stream);
        const std::string sent = counted_text(size);
        running sending(home(), server.write_all(bytes_of(sent)));
        std::string got(size, ' ');
        EXPECT_TRUE(co_await client.read_exactly(bytes_in(got)));
        EXPECT_TRUE(got == sent);
        co_await sending.ended();
        EXPECT_TRUE(sending.outcome());
        auto too_late = co_await client.write_all(bytes_of("x"));
        EXPECT_EQ(too_late.cause, std::errc::broken_pipe) << "an error, and no signal";
        EXPECT_EQ(too_late.bytes, 0U);
    });
}

}  // namespace upcall::test
