#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, A9_what_cannot_be_done_is_refused_at_once) {
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        auto lingering = client.set_option(socket_option::linger_seconds, 5);
        CO_ASSERT(!lingering);
        EXPECT_EQ(lingering.error(), errc::unsupported) << "it would block";
        auto directory = co_await file::open(scratch(""), open_read);
        CO_ASSERT(directory);
        std::byte room[8];
        auto read = co_await directory->read_at(room, 0);
        CO_ASSERT(!read);
        EXPECT_EQ(read.error(), std::errc::is_a_directory);
        EXPECT_EQ(tcp::stream::adopt(9999).error(), std::errc::bad_file_descriptor);
    });
}

}  // namespace upcall::test
