// The proxy passes on everything both ways, and the end of each way by itself.
#include <upcall/io/tcp.hpp>
#include <upcall/task/when_all.hpp>

#include "support/program.hpp"
#include "support/test_loop.hpp"

namespace upcall::testing {
namespace {

std::string pattern(std::size_t size, char first) {
    std::string text(size, '\0');
    for (std::size_t at = 0; at < size; ++at)
        text[at] = static_cast<char>(first + static_cast<int>(at % 23));
    return text;
}

task<std::string> hear_all(tcp::stream& from) {
    std::string text;
    for (;;) {
        auto chunk = co_await from.receive();
        if (!chunk) {
            EXPECT_EQ(chunk.error(), errc::end_of_stream);
            co_return text;
        }
        text += text_of(*chunk);
    }
}

task<> say(tcp::stream& to, std::string text) {
    EXPECT_TRUE(co_await to.write_all(bytes_of(text)));
    EXPECT_TRUE(co_await to.shut_down_writing());
}

class tcp_proxy : public ::testing::Test {
  public:
    tcp_proxy() {
        in_loop([](tcp_proxy& self) -> task<> {
            self.target_ = tcp::listener::bind("127.0.0.1:0").value();
            co_return;
        });
        in_loop([](tcp_proxy& self) -> task<> {
            self.target_text_ = self.target_.local_address().value().to_string();
            co_return;
        });
        proxy_.emplace("tcp_proxy", std::vector<std::string>{"127.0.0.1:0", target_text_});
        where_ = address::parse(proxy_->line_after("listening on ")).value();
    }
    ~tcp_proxy() override {
        in_loop([](tcp_proxy& self) -> task<> {
            self.target_ = {};
            co_return;
        });
    }

    void in_loop(task<> (*body)(tcp_proxy&)) { run_task(*home_, body(*this)); }

    /// Runs `body` with a client of the proxy's and the server that it reaches.
    void between(task<> (*body)(tcp::stream& client, tcp::stream& server)) {
        run_task(*home_, connect_and(body));
    }
    task<> connect_and(task<> (*body)(tcp::stream& client, tcp::stream& server)) {
        tcp::stream client = (co_await tcp::connect(where_)).value();
        tcp::stream server = (co_await target_.accept()).value();
        co_await body(client, server);
    }

    std::unique_ptr<loop> home_ = make_test_loop(driver_names().front());
    tcp::listener target_;
    std::string target_text_;
    std::optional<program> proxy_;
    address where_;
};

TEST_F(tcp_proxy, passes_on_both_ways_at_once) {
    between([](tcp::stream& client, tcp::stream& server) -> task<> {
        const std::string up = pattern(3'000'000, 'a');
        const std::string down = pattern(2'000'000, 'A');
        auto [said, answered, at_server, at_client] = co_await when_all(
            say(client, up), say(server, down), hear_all(server), hear_all(client));
        static_cast<void>(said);
        static_cast<void>(answered);
        EXPECT_EQ(at_server, up);
        EXPECT_EQ(at_client, down);
    });
}

TEST_F(tcp_proxy, passes_on_an_answer_to_a_client_that_has_ended_its_side) {
    between([](tcp::stream& client, tcp::stream& server) -> task<> {
        co_await say(client, "question");
        const std::string heard = co_await hear_all(server);
        EXPECT_EQ(heard, "question");
        co_await say(server, pattern(1'000'000, 'a'));
        const std::string answer = co_await hear_all(client);
        EXPECT_EQ(answer, pattern(1'000'000, 'a'));
    });
}

TEST_F(tcp_proxy, passes_on_what_a_client_says_to_a_server_that_has_ended_its_side) {
    between([](tcp::stream& client, tcp::stream& server) -> task<> {
        co_await say(server, "greeting");
        const std::string heard = co_await hear_all(client);
        EXPECT_EQ(heard, "greeting");
        co_await say(client, pattern(1'000'000, 'a'));
        const std::string answer = co_await hear_all(server);
        EXPECT_EQ(answer, pattern(1'000'000, 'a'));
    });
}

TEST_F(tcp_proxy, passes_on_a_reset) {
    between([](tcp::stream& client, tcp::stream& server) -> task<> {
        client.reset();
        EXPECT_EQ((co_await server.receive()).error(), std::errc::connection_reset);
    });
}

TEST_F(tcp_proxy, resets_clients_of_a_server_that_is_not_there) {
    in_loop([](tcp_proxy& self) -> task<> {
        self.target_ = {};
        tcp::stream client = (co_await tcp::connect(self.where_)).value();
        EXPECT_EQ((co_await client.receive()).error(), std::errc::connection_reset);
    });
}

TEST(tcp_proxy_options, are_explained_when_wrong) {
    EXPECT_EQ(program("tcp_proxy", {}).wait(), 2);
    EXPECT_EQ(program("tcp_proxy", {"127.0.0.1:0", "nowhere"}).wait(), 2);
}

}  // namespace
}  // namespace upcall::testing
