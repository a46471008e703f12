#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, C8_closing_ends_the_stream_and_with_unread_bytes_or_linger_zero_resets_it) {
    run([&]() -> task<> {
        auto listener = raw_listen();
        const address where = raw_address(listener);
        const auto accept = [&] {
            return raw_fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
        };
        auto orderly = (co_await tcp::connect(where)).value();
        raw_fd peer = accept();
        EXPECT_TRUE(co_await orderly.write_all(bytes_of("bye")));
        EXPECT_TRUE(co_await orderly.close());
        EXPECT_EQ(raw_receive(peer, 0), "bye");
        EXPECT_EQ(raw_receive(peer, 0), "");

        auto unread = (co_await tcp::connect(where)).value();
        peer = accept();
        raw_send(peer, "nobody reads this");
        EXPECT_TRUE(co_await unread.close());
        EXPECT_EQ(raw_receive(peer, 0), "error: Connection reset by peer");

        auto abrupt = (co_await tcp::connect(where)).value();
        peer = accept();
        EXPECT_TRUE(abrupt.set_option(socket_option::linger_seconds, 0));
        EXPECT_TRUE(co_await abrupt.close());
        EXPECT_EQ(raw_receive(peer, 0), "error: Connection reset by peer");
    });
}

}  // namespace upcall::test
