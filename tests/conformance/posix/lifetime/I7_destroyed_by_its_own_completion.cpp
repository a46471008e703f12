#include <memory>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, I7_what_an_operation_completes_on_may_be_destroyed_right_then) {
    run([&]() -> task<> {
        for (int round = 0; round < 20; ++round) {
            auto pair = co_await connected();
            auto stream = std::make_unique<tcp::stream>(std::move(pair.server));
            running behind(home(), stream->receive());
            running further_behind(home(), stream->receive());
            auto destroy = [&]() -> task<> {
                auto got = co_await stream->receive();
                stream.reset();
                EXPECT_TRUE(got);
            };
            EXPECT_TRUE(co_await pair.client.write_all(bytes_of("x")));
            behind.cancel();
            further_behind.cancel();
            co_await behind.ended();
            co_await further_behind.ended();
            if (!behind.outcome() && !further_behind.outcome()) co_await destroy();
        }
        auto listener = std::make_unique<tcp::listener>(tcp::listener::bind("127.0.0.1:0").value());
        const address where = listener->local_address().value();
        auto accept_and_go = [&]() -> task<> {
            auto peer = co_await listener->accept();
            listener.reset();
            EXPECT_TRUE(peer);
        };
        scope accepting(home().root());
        accepting.spawn_now(accept_and_go(), "accept");
        running second(home(), listener->accept());
        auto client = co_await tcp::connect(where);
        co_await accepting.join();
        co_await second.ended();
        EXPECT_EQ(second.outcome().error(), errc::closed);
        auto data = std::make_unique<file>(
            (co_await file::open(scratch("data"), open_read | open_write | open_create)).value());
        auto wrote = co_await data->write_at(bytes_of("x"), 0);
        data.reset();
        EXPECT_TRUE(wrote);
    });
}

}  // namespace upcall::test
