#include <unistd.h>

#include <vector>

#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, D10_the_peer_is_known_and_a_passed_socket_outlives_its_senders) {
    run([&]() -> task<> {
        auto [first, second] = unix_socket::pair().value();
        auto peer = second.identify_peer();
        CO_ASSERT(peer);
        EXPECT_EQ(peer->process, ::getpid());
        EXPECT_EQ(peer->user, ::getuid());
        EXPECT_EQ(peer->group, ::getgid());

        auto [mine, other] = raw_pair();
        const native_handle given[] = {other.get()};
        EXPECT_TRUE(co_await first.write_with(bytes_of("x"), given));
        other.close();
        std::byte room[8];
        std::vector<descriptor> arrived;
        EXPECT_TRUE(co_await second.read_with(room, arrived));
        CO_ASSERT(arrived.size() == 1);
        auto moved = unix_socket::stream::adopt(arrived[0].get()).value();
        arrived[0].release();
        raw_send(mine, "still open");
        std::string got(10, ' ');
        EXPECT_TRUE(co_await moved.read_exactly(bytes_in(got)));
        EXPECT_EQ(got, "still open");
    });
}

}  // namespace upcall::test
