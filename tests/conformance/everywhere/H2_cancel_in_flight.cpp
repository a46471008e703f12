#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_kernel, H2_a_cancelled_read_takes_no_byte) {
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        std::string room(16, '-');
        running reading(home(), server.read(bytes_in(room)));
        co_await turns(3);
        EXPECT_FALSE(reading.done());
        reading.cancel();
        co_await reading.ended();
        EXPECT_EQ(reading.outcome().error(), errc::cancelled);
        running receiving(home(), server.receive());
        co_await turns(3);
        receiving.cancel(cancel_cause::deadline);
        co_await receiving.ended();
        EXPECT_EQ(receiving.outcome().error(), errc::deadline_exceeded);
        EXPECT_TRUE(co_await client.write_all(bytes_of("all of it")));
        EXPECT_TRUE(co_await client.shut_down_writing());
        auto got = co_await read_to_end(server);
        EXPECT_EQ(got.text, "all of it");
        EXPECT_EQ(room, std::string(16, '-'));
    });
}

TEST_P(every_kernel, H2_a_cancelled_accept_takes_no_connection) {
    run([&]() -> task<> {
        auto listener = tcp::listener::bind("127.0.0.1:0").value();
        running accepting(home(), listener.accept());
        co_await turns(3);
        EXPECT_FALSE(accepting.done());
        accepting.cancel();
        co_await accepting.ended();
        EXPECT_EQ(accepting.outcome().error(), errc::cancelled);
        auto client = co_await tcp::connect(listener.local_address().value());
        EXPECT_TRUE(client);
        auto server = (co_await listener.accept()).value();
        EXPECT_EQ(server.peer_address(), client->local_address());
    });
}

TEST_P(every_kernel, H2_a_cancelled_timer_ends_at_once) {
    run([&]() -> task<> {
        running sleeping(home(), sleep(std::chrono::hours(1)));
        co_await turns(3);
        EXPECT_FALSE(sleeping.done());
        sleeping.cancel();
        co_await sleeping.ended();
        EXPECT_EQ(sleeping.outcome().error(), errc::cancelled);
    });
}

TEST_P(every_kernel_with_files, H2_a_cancelled_file_read_is_done_or_had_no_effect) {
    run([&]() -> task<> {
        auto data =
            (co_await file::open(scratch("data"), open_read | open_write | open_create)).value();
        const std::string content = counted_text(4096);
        EXPECT_TRUE(co_await data.write_all_at(bytes_of(content), 0));
        for (int patience = 0; patience < 8; ++patience) {
            std::string room(content.size(), '-');
            running reading(home(), data.read_at(bytes_in(room), 0));
            if (patience > 0) co_await turns(patience - 1);
            reading.cancel();
            co_await reading.ended();
            if (auto& outcome = reading.outcome()) {
                EXPECT_EQ(room.substr(0, *outcome), content.substr(0, *outcome));
                EXPECT_GT(*outcome, 0U);
            } else {
                EXPECT_EQ(outcome.error(), errc::cancelled);
                EXPECT_EQ(room, std::string(content.size(), '-'));
            }
        }
    });
}

}  // namespace upcall::test
