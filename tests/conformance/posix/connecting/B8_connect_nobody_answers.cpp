#include "conformance/fixture.hpp"
#include "conformance/plain_operation.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, B8_closing_a_socket_that_connects_ends_the_connect_first) {
    run([&]() -> task<> {
        black_hole hole;
        driver& via = home().via();
        handle socket = via.open_socket(address_family::ipv4, socket_type::stream).value();
        running connecting(home(), plain({op_kind::connect, socket.record(), &hole.where}));
        co_await turns(3);
        EXPECT_FALSE(connecting.done());
        handle_record* record = socket.detach();
        bool closed = false;
        record->on_closed_argument = &closed;
        record->on_closed = [](void* argument, std::int64_t outcome) noexcept {
            *static_cast<bool*>(argument) = true;
            EXPECT_EQ(outcome, 0);
        };
        via.close(*record);
        co_await connecting.ended();
        while (!closed) co_await turns(1);
        CO_ASSERT(!connecting.outcome());
        EXPECT_EQ(connecting.outcome().error(), errc::closed);
    });
}

}  // namespace upcall::test
