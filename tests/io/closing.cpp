// Closing ends what is in flight, waits for the kernel, and is told of last.
#include <algorithm>

#include "pairs.hpp"

namespace upcall::testing {
namespace {

class closing : public io_test {};
UPCALL_FOR_EVERY_LOOP(closing);

task<> note_read(tcp::stream& from, std::vector<std::string>& order) {
    std::string buffer(8, '\0');
    const auto got = co_await from.read(room_in(buffer));
    order.push_back(!got && got.error() == errc::closed ? "read" : "?");
}
task<> note_receive(tcp::stream& from, std::vector<std::string>& order) {
    const auto got = co_await from.receive();
    order.push_back(!got && got.error() == errc::closed ? "receive" : "?");
}
task<> note_write(tcp::stream& to, std::vector<std::string>& order) {
    const std::string endless(std::size_t{32} << 20, 'w');
    const auto sent = co_await to.write_all(bytes_of(std::string_view(endless)));
    order.push_back(sent.cause == errc::closed ? "write" : "?");
}

// The first of a direction ends with its operation, the others at once: the order among them is
// free, but closing comes last.
TEST_P(closing, ends_reads_and_writes_in_flight_before_itself) {
    run([]() -> task<> {
        auto [here, there] = co_await connected_pair();
        std::vector<std::string> order;
        co_await with_scope([&](scope& side) -> task<> {
            side.spawn_now(note_read(here, order));
            side.spawn_now(note_read(here, order));
            side.spawn_now(note_receive(here, order));
            side.spawn_now(note_write(here, order));
            side.spawn_now(note_write(here, order));
            for (int turn = 0; turn < 5; ++turn) co_await yield();
            EXPECT_TRUE(co_await here.close());
            order.emplace_back("close");
        });
        EXPECT_EQ(order.size(), 6U);
        EXPECT_EQ(order.back(), "close");
        std::sort(order.begin(), order.end());
        EXPECT_EQ(order,
                  (std::vector<std::string>{"close", "read", "read", "receive", "write", "write"}));
    });
}

TEST_P(closing, is_seen_by_whoever_comes_later) {
    run([]() -> task<> {
        auto [here, there] = co_await connected_pair();
        EXPECT_TRUE(co_await here.close());
        EXPECT_FALSE(here);
        EXPECT_EQ((co_await here.receive()).error(), errc::closed);
        EXPECT_EQ((co_await here.write_all(bytes_of("x"))).cause, errc::closed);
        EXPECT_EQ((co_await here.read_exactly(byte_span{})).cause, errc::closed);
        EXPECT_EQ((co_await here.detach()).error(), errc::closed);
        EXPECT_EQ(here.release().error(), errc::closed);
        EXPECT_EQ(here.local_address().error(), errc::closed);
        EXPECT_EQ(here.option(socket_option::no_delay).error(), errc::closed);
        EXPECT_TRUE(co_await here.close());  // nothing is left to close
        here.reset();
    });
}

TEST_P(closing, from_within_a_completion_of_the_same_stream) {
    run([]() -> task<> {
        auto [here, there] = co_await connected_pair();
        co_await with_scope([&](scope& side) -> task<> {
            side.spawn_now([](tcp::stream& from) -> task<> {
                EXPECT_EQ((co_await from.receive()).value().text(), "go");
                from = {};
            }(there));
            side.spawn_now([](tcp::stream& from) -> task<> {
                EXPECT_EQ((co_await from.receive()).error(), errc::closed);
            }(there));
            side.spawn_now([](tcp::stream& to) -> task<> {
                const std::string endless(std::size_t{32} << 20, 'w');
                const auto sent = co_await to.write_all(bytes_of(std::string_view(endless)));
                EXPECT_EQ(sent.cause, errc::closed);
            }(there));
            for (int turn = 0; turn < 5; ++turn) co_await yield();
            EXPECT_TRUE(co_await here.write_all(bytes_of("go")));
        });
    });
}

// Received bytes that nobody has read make the kernel reset the connection (RFC 2525, 2.17).
TEST_P(closing, with_unread_data_resets_the_peer) {
    run([]() -> task<> {
        auto [here, there] = co_await connected_pair();
        EXPECT_TRUE(co_await here.write_all(bytes_of("unread")));
        std::string one(1, '\0');
        EXPECT_TRUE(co_await there.read(room_in(one)));
        EXPECT_TRUE(co_await there.close());
        EXPECT_EQ((co_await here.receive()).error(), std::errc::connection_reset);
        EXPECT_EQ((co_await here.receive()).error(), errc::end_of_stream);  // it is told once
        EXPECT_EQ((co_await here.write_all(bytes_of("x"))).cause, std::errc::broken_pipe);
    });
}

TEST_P(closing, by_reset_tells_the_peer_that_reads) {
    run([]() -> task<> {
        auto [here, there] = co_await connected_pair();
        co_await with_scope([&](scope& side) -> task<> {
            side.spawn_now([](tcp::stream& from) -> task<> {
                EXPECT_EQ((co_await from.receive()).error(), std::errc::connection_reset);
            }(there));
            co_await yield();
            here.reset();
            EXPECT_FALSE(here);
        });
    });
}

TEST_P(closing, by_reset_tells_the_peer_that_writes) {
    run([]() -> task<> {
        auto [here, there] = co_await connected_pair();
        co_await with_scope([&](scope& side) -> task<> {
            side.spawn_now([](tcp::stream& to) -> task<> {
                const std::string endless(std::size_t{64} << 20, 'w');
                const auto sent = co_await to.write_all(bytes_of(std::string_view(endless)));
                // io_uring's own retry of a write that was taken in part may eat the reset: all
                // that comes after it sees a connection that is gone.
                const bool eaten = loop::current()->via().name() == "uring" &&
                                   sent.cause == std::errc::broken_pipe;
                EXPECT_TRUE(sent.cause == std::errc::connection_reset || eaten) << sent.cause;
                EXPECT_LT(sent.bytes, endless.size());
                // The other direction fails promptly, too.
                EXPECT_FALSE(co_await to.receive());
            }(there));
            for (int turn = 0; turn < 5; ++turn) co_await yield();
            here.reset();
        });
    });
}

TEST_P(closing, before_the_first_operation) {
    run([]() -> task<> {
        auto [here, there] = co_await connected_pair();
        here.reset();
        EXPECT_EQ((co_await there.write_all(bytes_of("x"))).cause, std::errc::connection_reset);
        EXPECT_EQ((co_await there.receive()).error(), errc::end_of_stream);
    });
}

TEST_P(closing, a_listener_ends_its_accepts_and_resets_its_queue) {
    run([]() -> task<> {
        auto listener = tcp::listener::bind("127.0.0.1:0").value();
        const address at = listener.local_address().value();
        auto queued = (co_await tcp::connect(at)).value();
        std::vector<std::string> order;
        auto first = (co_await listener.accept()).value();
        co_await with_scope([&](scope& side) -> task<> {
            for (int waiter = 0; waiter < 3; ++waiter)
                side.spawn_now([](tcp::listener& from, std::vector<std::string>& into) -> task<> {
                    const auto got = co_await from.accept();
                    into.push_back(!got && got.error() == errc::closed ? "accept" : "?");
                }(listener, order));
            co_await yield();
            EXPECT_TRUE(co_await listener.close());
            order.emplace_back("close");
        });
        EXPECT_EQ(order, (std::vector<std::string>{"accept", "accept", "accept", "close"}));
        EXPECT_EQ((co_await listener.accept()).error(), errc::closed);
        EXPECT_EQ((co_await tcp::connect(at)).error(), std::errc::connection_refused);
        // A connection that was accepted lives on.
        EXPECT_TRUE(co_await first.write_all(bytes_of("still here")));
        EXPECT_EQ((co_await queued.receive()).value().text(), "still here");
    });
}

TEST_P(closing, a_listener_with_connections_that_nobody_accepted) {
    run([]() -> task<> {
        auto listener = tcp::listener::bind("127.0.0.1:0").value();
        const address at = listener.local_address().value();
        std::vector<tcp::stream> waiting;
        for (int peer = 0; peer < 5; ++peer) waiting.push_back((co_await tcp::connect(at)).value());
        // One is accepted, so that a driver that accepts ahead has the others, too.
        EXPECT_TRUE(co_await listener.accept());
        for (int turn = 0; turn < 5; ++turn) co_await yield();
        EXPECT_TRUE(co_await listener.close());
        for (tcp::stream& peer : waiting) {
            const auto end = (co_await peer.receive()).error();
            EXPECT_TRUE(end == errc::end_of_stream || end == std::errc::connection_reset) << end;
        }
    });
}

}  // namespace
}  // namespace upcall::testing
