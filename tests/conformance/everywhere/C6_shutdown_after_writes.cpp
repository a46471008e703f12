#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_kernel, C6_a_shutdown_waits_for_the_writes_before_it) {
    constexpr std::size_t size = 400'000;  // more than fits into any socket's buffers here
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        const std::string first = counted_text(size);
        const std::string second = counted_text(1000, size);
        running writing_first(home(), client.write_all(bytes_of(first)));
        running writing_second(home(), client.write_all(bytes_of(second)));
        co_await turns(1);
        running shutting_down(home(), client.shut_down_writing());
        auto got = co_await read_to_end(server);
        EXPECT_EQ(got.end, errc::end_of_stream);
        EXPECT_EQ(got.text.size(), first.size() + second.size());
        EXPECT_TRUE(got.text == first + second);
        co_await writing_first.ended();
        co_await writing_second.ended();
        co_await shutting_down.ended();
        EXPECT_EQ(writing_first.outcome().bytes, first.size());
        EXPECT_EQ(writing_second.outcome().bytes, second.size());
        EXPECT_TRUE(shutting_down.outcome());
    });
}

}  // namespace upcall::test
