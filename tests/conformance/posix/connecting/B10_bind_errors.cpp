#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, B10_what_keeps_a_listener_from_its_address_is_named) {
    run([&]() -> task<> {
        auto first = tcp::listener::bind("127.0.0.1:0").value();
        auto second = tcp::listener::bind(first.local_address().value());
        EXPECT_EQ(second.error(), std::errc::address_in_use);
        auto elsewhere = tcp::listener::bind("192.0.2.1:0");
        EXPECT_EQ(elsewhere.error(), std::errc::address_not_available);
        auto nonsense = tcp::listener::bind("no address");
        EXPECT_EQ(nonsense.error(), std::errc::invalid_argument);
        // Adopting what does not listen succeeds; accepting then says what is wrong.
        raw_fd never_listened(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        auto adopted = tcp::listener::adopt(never_listened.get());
        CO_ASSERT(adopted);
        never_listened.release();
        auto accepted = co_await adopted->accept();
        CO_ASSERT(!accepted);
        EXPECT_EQ(accepted.error(), std::errc::invalid_argument);
    });
}

TEST_P(every_form, B10_listeners_that_say_so_share_an_address) {
    run([&]() -> task<> {
        tcp::listen_options shared;
        shared.reuse_port = true;
        auto first = tcp::listener::bind("127.0.0.1:0", shared).value();
        auto second = tcp::listener::bind(first.local_address().value(), shared);
        EXPECT_TRUE(second);
        auto third = tcp::listener::bind(first.local_address().value());
        EXPECT_EQ(third.error(), std::errc::address_in_use);
        co_return;
    });
}

}  // namespace upcall::test
