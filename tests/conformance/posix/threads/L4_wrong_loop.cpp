#include <thread>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, L4_an_object_used_on_another_loop_is_refused) {
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        auto listener = tcp::listener::bind("127.0.0.1:0").value();
        auto data =
            (co_await file::open(scratch("data"), open_read | open_write | open_create)).value();
        auto elsewhere = another_loop();
        auto use = [&]() -> task<> {
            std::byte room[4]{};
            EXPECT_EQ((co_await client.read(room)).error(), errc::wrong_loop);
            EXPECT_EQ(co_await error_from(client.receive()), errc::wrong_loop);
            EXPECT_EQ((co_await client.write_all(byte_view(room))).cause, errc::wrong_loop);
            EXPECT_EQ(co_await error_from(listener.accept()), errc::wrong_loop);
            EXPECT_EQ((co_await data.read_at(room, 0)).error(), errc::wrong_loop);
            EXPECT_EQ((co_await data.sync()).error(), errc::wrong_loop);
        };
        std::thread other([&] {
            scope tasks(elsewhere->root());
            tasks.spawn_now(use(), "elsewhere");
            elsewhere->run_until([&] { return tasks.size() == 0; });
        });
        other.join();
        elsewhere.reset();
        EXPECT_TRUE(co_await client.write_all(bytes_of("here it works")));
    });
    EXPECT_EQ(tcp::listener::bind("127.0.0.1:0").error(), errc::no_loop);
    EXPECT_EQ(tcp::stream::adopt(0).error(), errc::no_loop);
    EXPECT_EQ(file::adopt(0).error(), errc::no_loop);
}

}  // namespace upcall::test
