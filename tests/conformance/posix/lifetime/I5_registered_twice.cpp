#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, I5_one_socket_may_be_watched_by_two_handles_and_by_two_loops) {
    run([&]() -> task<> {
        auto [mine, peer] = raw_pair();
        auto first = tcp::stream::adopt(::fcntl(mine.get(), F_DUPFD_CLOEXEC, 0)).value();
        auto second = tcp::stream::adopt(::fcntl(mine.get(), F_DUPFD_CLOEXEC, 0)).value();
        auto elsewhere = another_loop();
        handle third = elsewhere->via()
                           .adopt(::fcntl(mine.get(), F_DUPFD_CLOEXEC, 0), handle_kind::stream)
                           .value();
        std::byte one{};
        std::byte two{};
        running reading_one(home(), first.read({&one, 1}));
        running reading_two(home(), second.read({&two, 1}));
        co_await turns(2);
        raw_send(peer, "ab");
        co_await reading_one.ended();
        co_await reading_two.ended();
        EXPECT_EQ(reading_one.outcome().value_or(0), 1U);
        EXPECT_EQ(reading_two.outcome().value_or(0), 1U);
        EXPECT_EQ(static_cast<int>(one) + static_cast<int>(two), 'a' + 'b');
        first = {};
        raw_send(peer, "c");
        EXPECT_EQ((co_await second.read({&two, 1})).value_or(0), 1U) << "the other goes on";
        EXPECT_EQ(static_cast<char>(two), 'c');
        third.close();
        elsewhere.reset();
    });
}

}  // namespace upcall::test
