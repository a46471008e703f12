// The echo server sends back what it gets, over every driver, on one loop and on two.
#include <upcall/io/tcp.hpp>

#include "support/program.hpp"
#include "support/test_loop.hpp"

namespace upcall::testing {
namespace {

task<> talk_to(const address& where) {
    auto peer = (co_await tcp::connect(where)).value();
    std::string text(100'000, '\0');
    for (std::size_t at = 0; at < text.size(); ++at) text[at] = static_cast<char>('a' + at % 23);
    std::string got(text.size(), '\0');
    co_await with_scope([&](scope& side) -> task<> {
        side.spawn_now([](tcp::stream& to, const std::string& all) -> task<> {
            EXPECT_TRUE(co_await to.write_all(bytes_of(std::string_view(all))));
            EXPECT_TRUE(co_await to.shut_down_writing());
        }(peer, text));
        EXPECT_TRUE(co_await peer.read_exactly(std::as_writable_bytes(std::span(got))));
    });
    EXPECT_EQ(got, text);
    EXPECT_EQ((co_await peer.receive()).error(), errc::end_of_stream);
}

class echo_server : public ::testing::TestWithParam<std::string> {};
UPCALL_FOR_EVERY_LOOP(echo_server);

TEST_P(echo_server, sends_back_what_it_gets) {
    program server("echo_server", {"--listen", "127.0.0.1:0", "--driver", GetParam()});
    const auto where = address::parse(server.line_after("listening on "));
    ASSERT_TRUE(where);
    auto home = make_test_loop(GetParam());
    for (int round = 0; round < 3; ++round) run_task(*home, talk_to(*where));
}

TEST(echo_server_loops, share_an_address) {
    // A port that was free a moment ago.
    auto home = make_test_loop(driver_names().front());
    const auto where = run_task(*home, []() -> task<address> {
        auto listener = tcp::listener::bind("127.0.0.1:0").value();
        co_return listener.local_address().value();
    }());
    program server("echo_server", {"--listen", where.to_string(), "--loops", "2"});
    EXPECT_EQ(server.line_after("listening on "), where.to_string());
    EXPECT_EQ(server.line_after("listening on "), where.to_string());
    for (int round = 0; round < 8; ++round) run_task(*home, talk_to(where));
}

TEST(echo_server_options, are_explained_when_wrong) {
    EXPECT_EQ(program("echo_server", {"--listne", "127.0.0.1:0"}).wait(), 2);
    EXPECT_EQ(program("echo_server", {"--listen"}).wait(), 2);
    EXPECT_EQ(program("echo_server", {"--listen", "nowhere"}).wait(), 1);
}

}  // namespace
}  // namespace upcall::testing
