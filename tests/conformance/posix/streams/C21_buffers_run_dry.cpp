#include <vector>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, C21_receiving_goes_on_when_buffers_that_ran_out_come_back) {
    loop_options few = small_loop();
    few.buffers.small_count = 4;
    few.buffers.large_count = 1;
    renew_loop(few);
    run([&]() -> task<> {
        constexpr std::size_t streams = 12;
        std::vector<stream_pair> pairs(streams);
        for (stream_pair& one : pairs) one = co_await connected();
        const std::string sent = counted_text(30'000);
        auto write = [&](tcp::stream& to) -> task<> {
            EXPECT_TRUE(co_await to.write_all(bytes_of(sent)));
            EXPECT_TRUE(co_await to.shut_down_writing());
        };
        std::size_t done = 0;
        auto read = [&](tcp::stream& from) -> task<> {
            std::string got;
            for (;;) {
                auto chunk = co_await from.receive();
                if (!chunk) {
                    EXPECT_EQ(chunk.error(), errc::end_of_stream);
                    break;
                }
                co_await turns(2);  // holds on to it while others want one
                got += chunk->text();
            }
            EXPECT_TRUE(got == sent);
            ++done;
        };
        scope busy(home().root());
        for (stream_pair& one : pairs) {
            busy.spawn_now(write(one.client), "writer");
            busy.spawn_now(read(one.server), "reader");
        }
        co_await busy.join();
        EXPECT_EQ(done, streams);
    });
}

}  // namespace upcall::test
