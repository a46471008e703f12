#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

namespace {

task<> echo_until_the_end(tcp::stream peer) {
    while (auto chunk = co_await peer.receive())
        if (!co_await peer.write_all(*chunk)) break;
}

}  // namespace

TEST_P(every_kernel, A2_each_completion_may_start_the_next_operation) {
    constexpr int rounds = 500;
    run([&]() -> task<> {
        auto pair = co_await connected();
        scope echoing(home().root());
        echoing.spawn_now(echo_until_the_end(std::move(pair.server)), "echo");
        for (int round = 0; round < rounds; ++round) {
            const std::string sent = "round " + std::to_string(round);
            EXPECT_TRUE(co_await pair.client.write_all(bytes_of(sent)));
            std::string got(sent.size(), ' ');
            EXPECT_TRUE(co_await pair.client.read_exactly(bytes_in(got)));
            EXPECT_EQ(got, sent);
        }
        EXPECT_TRUE(co_await pair.client.shut_down_writing());
        co_await echoing.join();
    });
}

}  // namespace upcall::test
