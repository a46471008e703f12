// The chat server tells everybody what one of them says, and outlives those who leave.
#include <upcall/io/tcp.hpp>
#include <upcall/task/timeout.hpp>

#include "support/program.hpp"
#include "support/test_loop.hpp"

namespace upcall::testing {
namespace {

task<std::string> hear(tcp::stream& from, std::size_t size) {
    std::string text(size, '\0');
    EXPECT_TRUE(co_await from.read_exactly(std::as_writable_bytes(std::span(text))));
    co_return text;
}

// Who is told of something has joined for certain.
task<tcp::stream> join(const address& where) {
    tcp::stream joined = (co_await tcp::connect(where)).value();
    EXPECT_TRUE(co_await joined.write_all(bytes_of("hello\n")));
    const std::string heard = co_await hear(joined, 6);
    EXPECT_EQ(heard, "hello\n");
    co_return joined;
}

task<> talk(const address& where) {
    tcp::stream first = co_await join(where);
    tcp::stream second = co_await join(where);
    const std::string greeting = co_await hear(first, 6);
    EXPECT_EQ(greeting, "hello\n");
    // In pieces, and two lines at once: a line is told when it is whole.
    EXPECT_TRUE(co_await first.write_all(bytes_of("one")));
    EXPECT_TRUE(co_await first.write_all(bytes_of(" two\nthree\nunfin")));
    for (tcp::stream* each : {&first, &second}) {
        const std::string heard = co_await hear(*each, 14);
        EXPECT_EQ(heard, "one two\nthree\n");
    }
    first.reset();
    EXPECT_TRUE(co_await second.write_all(bytes_of("alone\n")));
    const std::string heard = co_await hear(second, 6);
    EXPECT_EQ(heard, "alone\n");
    EXPECT_TRUE(co_await second.shut_down_writing());
    EXPECT_EQ((co_await second.receive()).error(), errc::end_of_stream);
}

TEST(chat_server, tells_everybody) {
    program server("chat_server", {"127.0.0.1:0"});
    const auto where = address::parse(server.line_after("listening on "));
    ASSERT_TRUE(where);
    auto home = make_test_loop(driver_names().front());
    for (int round = 0; round < 3; ++round) run_task(*home, talk(*where));
    server.ask(SIGTERM);
    EXPECT_EQ(server.wait(), 0);
}

}  // namespace
}  // namespace upcall::testing
