#include <thread>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, B17_an_accepted_connection_may_move_to_a_loop_on_another_thread) {
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        const address peer = server.peer_address().value();
        auto socket = server.release();
        CO_ASSERT(socket);
        EXPECT_FALSE(server);
        std::thread elsewhere([&] {
            auto there = another_loop();
            auto serve = [&]() -> task<> {
                auto moved = tcp::stream::adopt(*socket);
                CO_ASSERT(moved);
                EXPECT_EQ(moved->peer_address(), peer);
                auto asked = co_await moved->receive();
                CO_ASSERT(asked);
                EXPECT_EQ(asked->text(), "question");
                EXPECT_TRUE(co_await moved->write_all(bytes_of("answer")));
            };
            scope tasks(there->root());
            tasks.spawn_now(serve(), "moved");
            there->run_until([&] { return tasks.size() == 0; });
        });
        EXPECT_TRUE(co_await client.write_all(bytes_of("question")));
        auto answered = co_await read_to_end(client);
        EXPECT_EQ(answered.text, "answer");
        elsewhere.join();
    });
}

}  // namespace upcall::test
