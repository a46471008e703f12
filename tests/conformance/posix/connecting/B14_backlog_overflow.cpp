#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, B14_ten_times_the_backlog_is_served_once_the_server_looks) {
    constexpr int clients = 20;
    run([&]() -> task<> {
        tcp::listen_options narrow;
        narrow.backlog = 2;
        auto listener = tcp::listener::bind("127.0.0.1:0", narrow).value();
        const address where = listener.local_address().value();
        int served = 0;
        auto ask = [&](int index) -> task<> {
            // One after the other, or they would all knock again at the same moment.
            EXPECT_TRUE(co_await sleep(index * std::chrono::milliseconds(7)));
            auto stream = co_await tcp::connect(where);
            if (!stream) co_return;
            // Whoever speaks first learns whether the server knows of the connection.
            EXPECT_TRUE(co_await stream->write_all(bytes_of("?")));
            std::byte answer{};
            if (co_await stream->read({&answer, 1})) ++served;
        };
        auto answer = [&](tcp::stream peer) -> task<> {
            std::byte question{};
            EXPECT_TRUE(co_await peer.read({&question, 1}));
            EXPECT_TRUE(co_await peer.write_all(bytes_of("!")));
        };
        scope asking(home().root());
        for (int count = 0; count < clients; ++count) asking.spawn_now(ask(count), "client");
        EXPECT_TRUE(co_await sleep(std::chrono::milliseconds(7) *
                                   clients));  // the server does not look yet
        scope answering(home().root());
        auto accept_all = [&]() -> task<> {
            while (auto peer = co_await listener.accept())
                answering.spawn_now(answer(std::move(*peer)), "server");
        };
        scope accepting(home().root());
        accepting.spawn_now(accept_all(), "listener");
        co_await asking.join();
        co_await answering.join();
        accepting.stop();
        co_await accepting.join();
        EXPECT_EQ(served, clients);
    });
}

}  // namespace upcall::test
