#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, H9_a_write_cancelled_half_way_can_be_resumed_where_it_stopped) {
    constexpr std::size_t size = 6'000'000;
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        const std::string sent = counted_text(size);
        std::string got(size, ' ');
        running reading(home(), server.read_exactly(bytes_in(got)));
        std::size_t done = 0;
        int resumed = 0;
        while (done < size) {
            running writing(home(), client.write_all(bytes_of(sent).subspan(done)));
            co_await turns(1 + resumed % 3);
            writing.cancel();
            co_await writing.ended();
            done += writing.outcome().bytes;
            ++resumed;
            if (resumed > 1000) {
                auto rest = co_await client.write_all(bytes_of(sent).subspan(done));
                done += rest.bytes;
                EXPECT_TRUE(rest);
            }
        }
        co_await reading.ended();
        EXPECT_TRUE(reading.outcome());
        EXPECT_TRUE(got == sent);
    });
}

}  // namespace upcall::test
