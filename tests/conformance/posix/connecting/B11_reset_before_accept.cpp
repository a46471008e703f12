#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, B11_peers_that_gave_up_before_they_were_accepted_do_not_end_accepting) {
    run([&]() -> task<> {
        auto listener = tcp::listener::bind("127.0.0.1:0").value();
        const address where = listener.local_address().value();
        for (int round = 0; round < 10; ++round) {
            raw_fd gone = raw_connect(where);
            raw_reset(gone);
        }
        raw_fd here = raw_connect(where);
        raw_send(here, "here");
        int resets = 0;
        for (;;) {
            auto peer = co_await listener.accept();
            CO_ASSERT(peer);
            auto got = co_await peer->receive();
            if (got) {
                EXPECT_EQ(got->text(), "here");
                break;
            }
            EXPECT_EQ(got.error(), std::errc::connection_reset);
            ++resets;
        }
        EXPECT_LE(resets, 10);
    });
}

}  // namespace upcall::test
