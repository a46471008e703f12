#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, C14_both_directions_at_once_carry_everything_without_deadlock) {
    constexpr std::size_t size = 8'000'000;
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        const std::string there = counted_text(size);
        const std::string back = counted_text(size, 7'000'000);
        running sending_there(home(), client.write_all(bytes_of(there)));
        running sending_back(home(), server.write_all(bytes_of(back)));
        std::string got_there(size, ' ');
        std::string got_back(size, ' ');
        running reading_there(home(), server.read_exactly(bytes_in(got_there)));
        running reading_back(home(), client.read_exactly(bytes_in(got_back)));
        co_await reading_there.ended();
        co_await reading_back.ended();
        EXPECT_TRUE(got_there == there);
        EXPECT_TRUE(got_back == back);
        co_await sending_there.ended();
        co_await sending_back.ended();
    });
}

}  // namespace upcall::test
