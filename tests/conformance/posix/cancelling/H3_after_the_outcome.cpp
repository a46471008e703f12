#include "conformance/fixture.hpp"
#include "conformance/plain_operation.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, H3_a_cancellation_after_the_outcome_changes_nothing) {
    run([&]() -> task<> {
        auto [mine, peer] = raw_pair();
        handle socket = home().via().adopt(mine.release(), handle_kind::stream).value();
        std::string room(5, ' ');
        struct watched_read : io_operation {
            bool ran = false;
        } reading;
        reading.kind = op_kind::read;
        reading.target = socket.record();
        reading.data = room.data();
        reading.size = room.size();
        reading.run = [](ready_node& node) noexcept {
            auto& self = static_cast<watched_read&>(node);
            self.retire();
            self.ran = true;
        };
        reading.begin(home().root());
        EXPECT_FALSE(home().via().start(reading));
        co_await turns(1);
        raw_send(peer, "bytes");
        // The outcome is known, and the loop has not run the completion yet.
        while (reading.state != op_state::ready) home().via().poll(time_point::min());
        reading.request_cancel(cancel_cause::cancelled);
        EXPECT_FALSE(reading.ran);
        co_await turns(2);
        EXPECT_TRUE(reading.ran);
        EXPECT_EQ(reading.result, 5);
        EXPECT_EQ(room, "bytes");
        reading.request_cancel(cancel_cause::cancelled);  // and when it is over
        EXPECT_EQ(reading.state, op_state::idle);
    });
}

}  // namespace upcall::test
