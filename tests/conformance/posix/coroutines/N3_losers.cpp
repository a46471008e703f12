#include <stdexcept>

#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

namespace {

/// Says when it ends, and takes its time about it.
task<int> end_slowly(byte_stream& from, int& ended) {
    std::byte byte{};
    const result<std::size_t> got = co_await from.read(byte_span{&byte, 1});
    auto clean_up = []() -> task<> { co_await turns(5); };
    co_await shield(duration::max(), clean_up());
    ++ended;
    co_return got ? static_cast<int>(*got) : -1;
}

}  // namespace

TEST_P(every_driver, N3_when_any_cancels_its_losers_and_waits_for_them) {
    run([&]() -> task<> {
        auto [first, first_peer] = raw_pair();
        auto [second, second_peer] = raw_pair();
        auto one = tcp::stream::adopt(first.release()).value();
        auto two = tcp::stream::adopt(second.release()).value();
        int ended = 0;
        raw_send(second_peer, "x");
        auto any = co_await when_any(end_slowly(one, ended), end_slowly(two, ended),
                                     sleep(std::chrono::hours(1)));
        EXPECT_EQ(ended, 2);
        EXPECT_EQ(any.index, 1U);
        EXPECT_EQ(std::get<0>(any.outcomes).value(), -1);
        EXPECT_EQ(std::get<1>(any.outcomes).value(), 1);
        EXPECT_EQ(std::get<2>(any.outcomes).error(), errc::cancelled);
        // The loser's stream has lost nothing.
        raw_send(first_peer, "y");
        std::byte byte{};
        EXPECT_EQ((co_await one.read({&byte, 1})).value_or(0), 1U);
    });
}

TEST_P(every_driver, N3_a_winner_does_not_hide_what_a_loser_did_all_the_same) {
    run([&]() -> task<> {
        auto [mine, peer] = raw_pair();
        auto stream = tcp::stream::adopt(mine.release()).value();
        std::byte byte{};
        int done_by_losers = 0;
        for (int round = 0; round < 50; ++round) {
            raw_send(peer, "x");
            auto any = co_await when_any(yield(), stream.read({&byte, 1}));
            auto& read = std::get<1>(any.outcomes);
            if (read) {
                ++done_by_losers;
                continue;
            }
            EXPECT_EQ(read.error(), errc::cancelled);
            EXPECT_EQ((co_await stream.read({&byte, 1})).value_or(0), 1U);
        }
        EXPECT_GE(done_by_losers, 0);
        EXPECT_EQ(raw_receive(peer), "error: Resource temporarily unavailable");
    });
}

TEST_P(every_driver, N3_when_all_ends_the_others_when_one_throws_and_waits_for_them) {
    run([&]() -> task<> {
        auto [mine, peer] = raw_pair();
        auto stream = tcp::stream::adopt(mine.release()).value();
        int ended = 0;
        auto fail = []() -> task<int> {
            co_await turns(2);
            throw std::runtime_error("one");
        };
        std::string thrown;
        try {
            co_await when_all(end_slowly(stream, ended), fail());
        } catch (const std::runtime_error& error) {
            thrown = error.what();
        }
        EXPECT_EQ(thrown, "one");
        EXPECT_EQ(ended, 1);
    });
}

TEST_P(every_driver, N3_first_success_closes_the_connection_of_who_came_second) {
    run([&]() -> task<> {
        auto listener = raw_listen();
        const address there = raw_address(listener);
        address nowhere;
        {
            const raw_fd gone = raw_listen();
            nowhere = raw_address(gone);
        }
        const std::size_t before = open_sockets();
        {
            auto attempt =
                first_success(tcp::connect(nowhere), tcp::connect(there), tcp::connect(there));
            auto won = co_await std::move(attempt);
            CO_ASSERT(won);
        }
        co_await turns(3);
        while (open_sockets() > before) co_await turns(1);  // a thread may have one in its hands
        EXPECT_EQ(open_sockets(), before);
    });
}

}  // namespace upcall::test
