#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, I2_an_operation_of_a_closed_stream_never_reaches_who_got_its_number) {
    run([&]() -> task<> {
        auto listener = raw_listen();
        const address where = raw_address(listener);
        for (int round = 0; round < 100; ++round) {
            std::optional<tcp::stream> old = (co_await tcp::connect(where)).value();
            raw_fd old_peer(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
            std::string stolen(8, '-');
            running reading(home(), old->read(bytes_in(stolen)));
            co_await turns(1 + round % 3);
            const rlim_t free_before = next_descriptor();
            old.reset();
            // In every other round the number is free before the next socket asks for one.
            while (round % 2 && next_descriptor() >= free_before) co_await turns(1);
            auto fresh = (co_await tcp::connect(where)).value();
            raw_fd fresh_peer(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
            raw_send(fresh_peer, "for me");
            std::string got(6, ' ');
            EXPECT_TRUE(co_await fresh.read_exactly(bytes_in(got)));
            EXPECT_EQ(got, "for me");
            co_await reading.ended();
            EXPECT_EQ(reading.outcome().error(), errc::closed);
            EXPECT_EQ(stolen, "--------");
        }
    });
}

}  // namespace upcall::test
