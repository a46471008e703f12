#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form, C7_a_reset_ends_the_read_that_waits_and_what_comes_after_fails) {
    run([&]() -> task<> {
        auto listener = raw_listen();
        auto stream = (co_await tcp::connect(raw_address(listener))).value();
        raw_fd peer(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
        std::byte room[8];
        running reading(home(), stream.read(room));
        co_await turns(2);
        raw_reset(peer);
        co_await reading.ended();
        EXPECT_EQ(reading.outcome().error(), std::errc::connection_reset);
        EXPECT_EQ((co_await stream.read(room)).error(), errc::end_of_stream)
            << "the kernel tells of a reset once";
        EXPECT_EQ((co_await stream.write_all(bytes_of("x"))).cause, std::errc::broken_pipe);
    });
}

TEST_P(every_form, C7_a_reset_ends_the_write_that_waits) {
    run([&]() -> task<> {
        auto listener = raw_listen();
        auto stream = (co_await tcp::connect(raw_address(listener))).value();
        raw_fd peer(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
        const std::string more_than_fits(64'000'000, 'x');
        running writing(home(), stream.write_all(bytes_of(more_than_fits)));
        running behind(home(), stream.write_all(bytes_of("y")));
        std::byte first{};
        while (::recv(peer.get(), &first, 1, MSG_DONTWAIT) != 1) co_await turns(1);
        EXPECT_FALSE(writing.done());
        raw_reset(peer);
        co_await writing.ended();
        co_await behind.ended();
        // A kernel that had sent a part may tell of the part, and forget the cause by the next
        // call.
        EXPECT_TRUE(writing.outcome().cause == std::errc::connection_reset ||
                    writing.outcome().cause == std::errc::broken_pipe)
            << writing.outcome().cause.message();
        EXPECT_LT(writing.outcome().bytes, more_than_fits.size());
        EXPECT_EQ(behind.outcome().cause, errc::broken_stream);
        EXPECT_EQ(behind.outcome().bytes, 0U);
    });
}

TEST_P(every_form, C7_a_reset_before_the_first_operation_is_seen_by_it) {
    run([&]() -> task<> {
        auto listener = raw_listen();
        auto stream = (co_await tcp::connect(raw_address(listener))).value();
        raw_fd peer(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
        raw_reset(peer);
        std::byte room[8];
        EXPECT_EQ((co_await stream.read(room)).error(), std::errc::connection_reset);
    });
}

}  // namespace upcall::test
