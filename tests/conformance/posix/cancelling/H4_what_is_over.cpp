#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, H4_cancelling_what_is_over_or_closed_is_harmless) {
    run([&]() -> task<> {
        auto [mine, peer] = raw_pair();
        std::optional<tcp::stream> stream = tcp::stream::adopt(mine.release()).value();
        std::byte byte{};
        raw_send(peer, "ab");
        running first(home(), stream->read({&byte, 1}));
        co_await first.ended();
        first.cancel();
        first.cancel(cancel_cause::deadline);
        EXPECT_EQ(first.outcome().value_or(0), 1U);

        // The next operation on the same stream is another one.
        running second(home(), stream->read({&byte, 1}));
        co_await turns(1);
        first.cancel();
        co_await second.ended();
        EXPECT_EQ(second.outcome().value_or(0), 1U);
        EXPECT_EQ(byte, std::byte{'b'});

        // Its stream is gone, and its operation with it.
        running third(home(), stream->read({&byte, 1}));
        co_await turns(2);
        stream.reset();
        co_await third.ended();
        EXPECT_EQ(third.outcome().error(), errc::closed);
        third.cancel();
        co_await turns(2);
        EXPECT_EQ(third.outcome().error(), errc::closed);
    });
}

}  // namespace upcall::test
