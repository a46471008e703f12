#include "conformance/fixture.hpp"
#include "conformance/plain_operation.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, H8_cancelling_a_scope_ends_every_kind_of_operation_in_it) {
    run([&]() -> task<> {
        black_hole hole;
        auto [client, server] = co_await connected();
        auto [source, drain] = co_await connected();
        auto listener = tcp::listener::bind("127.0.0.1:0").value();
        auto [mine, peer] = raw_pair();
        handle watched = home().via().adopt(mine.get(), handle_kind::foreign).value();
        const std::string flood(6'000'000, 'x');
        std::byte room[8];
        int ended = 0;
        scope all(home().root());
        auto read = [&]() -> task<> {
            EXPECT_EQ((co_await client.read(room)).error(), errc::cancelled);
            ++ended;
        };
        auto receive = [&]() -> task<> {
            EXPECT_EQ(co_await error_from(server.receive()), errc::cancelled);
            ++ended;
        };
        auto write = [&]() -> task<> {
            EXPECT_EQ((co_await source.write_all(bytes_of(flood))).cause, errc::cancelled);
            ++ended;
        };
        auto accept = [&]() -> task<> {
            EXPECT_EQ(co_await error_from(listener.accept()), errc::cancelled);
            ++ended;
        };
        auto connect = [&]() -> task<> {
            EXPECT_FALSE(co_await tcp::connect(hole.where));
            ++ended;
        };
        auto watch = [&]() -> task<> {
            auto ready = co_await plain({op_kind::poll, watched.record(), nullptr, ready_to_read});
            EXPECT_EQ(ready.error(), errc::cancelled);
            ++ended;
        };
        auto wait = [&]() -> task<> {
            EXPECT_EQ((co_await sleep_until(never)).error(), errc::cancelled);
            ++ended;
        };
        all.spawn_now(read(), "read");
        all.spawn_now(receive(), "receive");
        all.spawn_now(write(), "write");
        all.spawn_now(accept(), "accept");
        all.spawn_now(connect(), "connect");
        all.spawn_now(watch(), "watch");
        all.spawn_now(wait(), "wait");
        co_await turns(3);
        EXPECT_EQ(ended, 0);
        all.cancel();
        co_await all.join();
        EXPECT_EQ(ended, 7);
    });
}

}  // namespace upcall::test
