#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, C16_a_peer_that_closes_right_behind_its_data_loses_none_of_it) {
    run([&]() -> task<> {
        auto listener = tcp::listener::bind("127.0.0.1:0").value();
        const address where = listener.local_address().value();
        for (int round = 0; round < 50; ++round) {
            raw_fd peer = raw_connect(where);
            auto stream = (co_await listener.accept()).value();
            running receiving(home(), stream.receive());
            if (round % 2) co_await turns(1);
            raw_send(peer, "the end");
            peer.close();
            co_await receiving.ended();
            CO_ASSERT(receiving.outcome());
            EXPECT_EQ(receiving.outcome()->text(), "the end");
            EXPECT_EQ(co_await error_from(stream.receive()), errc::end_of_stream);
        }
    });
}

}  // namespace upcall::test
