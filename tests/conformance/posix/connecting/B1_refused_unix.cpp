#include <filesystem>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, B1_a_refused_unix_connection_tells_why) {
    run([&]() -> task<> {
        const std::string path = scratch("socket");
        auto absent = co_await unix_socket::connect(path);
        EXPECT_EQ(absent.error(), std::errc::no_such_file_or_directory);
        {
            auto listener = unix_socket::listener::bind(path).value();
            EXPECT_TRUE(co_await listener.close());
        }
        auto stale = co_await unix_socket::connect(path);
        EXPECT_EQ(stale.error(), std::errc::connection_refused);
        auto wrong_kind = unix_socket::datagram::bind(scratch("datagram")).value();
        auto refused = co_await unix_socket::connect(scratch("datagram"));
        EXPECT_FALSE(refused);
    });
}

}  // namespace upcall::test
