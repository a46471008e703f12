#include "conformance/fixture.hpp"
#include "conformance/plain_operation.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, H2_a_cancelled_watch_for_readiness_ends) {
    run([&]() -> task<> {
        auto [mine, peer] = raw_pair();
        handle watched = home().via().adopt(mine.get(), handle_kind::foreign).value();
        running watching(home(), plain({op_kind::poll, watched.record(), nullptr, ready_to_read}));
        co_await turns(3);
        EXPECT_FALSE(watching.done());
        watching.cancel();
        co_await watching.ended();
        EXPECT_EQ(watching.outcome().error(), errc::cancelled);
        raw_send(peer, "x");
        auto ready = co_await plain({op_kind::poll, watched.record(), nullptr, ready_to_read});
        EXPECT_EQ(ready, ready_to_read);
    });
}

TEST_P(every_form, H2_a_cancelled_write_that_waits_for_room_sent_what_it_says) {
    run([&]() -> task<> {
        auto [client, server] = co_await connected();
        const std::string sent = counted_text(6'000'000);
        running writing(home(), client.write(bytes_of(sent)));
        co_await writing.ended();  // `write` sends what fits
        const std::size_t first = writing.outcome().value();
        EXPECT_GT(first, 0U);
        running stuck(home(), client.write_all(bytes_of(sent).subspan(first)));
        co_await turns(3);
        EXPECT_FALSE(stuck.done());
        stuck.cancel();
        co_await stuck.ended();
        EXPECT_EQ(stuck.outcome().cause, errc::cancelled);
        const std::size_t total = first + stuck.outcome().bytes;
        client = {};
        auto got = co_await read_to_end(server);
        EXPECT_EQ(got.text.size(), total);
        EXPECT_TRUE(got.text == sent.substr(0, total));
    });
}

}  // namespace upcall::test
