#include "conformance/fixture.hpp"
#include "conformance/plain_operation.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, B7_a_second_connect_is_refused_and_harms_nothing) {
    run([&]() -> task<> {
        auto listener = raw_listen();
        address where = raw_address(listener);
        driver& via = home().via();
        handle socket = via.open_socket(address_family::ipv4, socket_type::stream).value();
        EXPECT_TRUE(co_await plain({op_kind::connect, socket.record(), &where}));
        auto again = co_await plain({op_kind::connect, socket.record(), &where});
        CO_ASSERT(!again);
        EXPECT_EQ(again.error(), std::errc::already_connected);
        std::string text = "fine";
        EXPECT_EQ(co_await plain({op_kind::write, socket.record(), text.data(), text.size()}), 4);
    });
}

TEST_P(every_form, B7_a_connect_beside_one_that_waits_is_refused_and_harms_nothing) {
    run([&]() -> task<> {
        black_hole hole;
        driver& via = home().via();
        handle socket = via.open_socket(address_family::ipv4, socket_type::stream).value();
        running first(home(), plain({op_kind::connect, socket.record(), &hole.where}));
        co_await turns(3);
        EXPECT_FALSE(first.done());
        running second(home(), plain({op_kind::connect, socket.record(), &hole.where}));
        co_await turns(3);
        if (second.done()) {
            EXPECT_EQ(second.outcome().error(), std::errc::connection_already_in_progress);
        }
        EXPECT_FALSE(first.done());
        socket.close();
        co_await first.ended();
        co_await second.ended();
        EXPECT_FALSE(first.outcome());
    });
}

}  // namespace upcall::test
