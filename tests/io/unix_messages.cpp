// Unix datagrams and sequenced packets keep their boundaries, and wait for a full receiver.
#include <filesystem>
#include <upcall/io/unix.hpp>

#include "pairs.hpp"
#include "support/scratch_folder.hpp"

namespace upcall::testing {
namespace {

class unix_messages : public io_test {};
UPCALL_FOR_EVERY_LOOP(unix_messages);

TEST_P(unix_messages, datagrams_have_senders_and_boundaries) {
    run([]() -> task<> {
        const scratch_folder folder;
        auto there = unix_socket::datagram::bind(folder / "there").value();
        auto here = unix_socket::datagram::bind(folder / "here").value();
        const address at = there.local_address().value();
        EXPECT_EQ(at.path(), folder / "there");
        EXPECT_TRUE(co_await here.send_to(bytes_of("a datagram"), at));
        EXPECT_TRUE(co_await here.send_to({}, at));
        EXPECT_TRUE(co_await here.send_to(bytes_of("a longer datagram"), at));
        std::string buffer(10, '\0');
        auto got = (co_await there.receive(room_in(buffer))).value();
        EXPECT_EQ(got.size, 10U);
        EXPECT_EQ(got.peer, here.local_address().value());
        got = (co_await there.receive(room_in(buffer))).value();
        EXPECT_EQ(got.size, 0U);
        EXPECT_FALSE(got.truncated);
        got = (co_await there.receive(room_in(buffer))).value();
        EXPECT_EQ(got.size, 17U);
        EXPECT_TRUE(got.truncated);

        auto nameless = unix_socket::datagram::open().value();
        EXPECT_TRUE(co_await nameless.connect(at));
        EXPECT_TRUE(co_await nameless.send(bytes_of("x")));
        got = (co_await there.receive(room_in(buffer))).value();
        EXPECT_TRUE(got.peer.path().empty());

        there = {};
        EXPECT_EQ((co_await here.send_to(bytes_of("x"), at)).error(),
                  std::errc::connection_refused);
        EXPECT_EQ((co_await nameless.send(bytes_of("x"))).error(), std::errc::connection_refused);
    });
}

// A receiver with a full queue makes its senders wait, and no message is lost. One of them is
// connected, which a poller can watch; the other is not, which it cannot.
TEST_P(unix_messages, a_full_receiver_makes_senders_wait) {
    run([]() -> task<> {
        const scratch_folder folder;
        auto there = unix_socket::datagram::bind(folder / "there").value();
        const address at = there.local_address().value();
        auto bound = unix_socket::datagram::open().value();
        EXPECT_TRUE(co_await bound.connect(at));
        auto loose = unix_socket::datagram::open().value();
        constexpr int each = 600;  // a queue holds net.unix.max_dgram_qlen of them, 10 or 512
        int sent = 0;
        co_await with_scope([&](scope& side) -> task<> {
            side.spawn_now([](unix_socket::datagram& to, int& count) -> task<> {
                for (int at_message = 0; at_message < each; ++at_message) {
                    EXPECT_TRUE(co_await to.send(bytes_of("from the connected one")));
                    ++count;
                }
            }(bound, sent));
            side.spawn_now(
                [](unix_socket::datagram& to, const address& where, int& count) -> task<> {
                    for (int at_message = 0; at_message < each; ++at_message) {
                        EXPECT_TRUE(co_await to.send_to(bytes_of("from the other"), where));
                        ++count;
                    }
                }(loose, at, sent));
            for (int turn = 0; turn < 50; ++turn) co_await yield();
            EXPECT_LT(sent, 2 * each);
            std::string buffer(64, '\0');
            for (int got = 0; got < 2 * each; ++got)
                EXPECT_TRUE(co_await there.receive(room_in(buffer)));
        });
        EXPECT_EQ(sent, 2 * each);
    });
}

TEST_P(unix_messages, sequenced_packets_are_a_connection) {
    run([]() -> task<> {
        const scratch_folder folder;
        auto listener = unix_socket::sequential_listener::bind(folder / "door").value();
        auto here = (co_await unix_socket::connect_sequential(folder / "door")).value();
        auto there = (co_await listener.accept()).value();
        EXPECT_TRUE(co_await here.send(bytes_of("first")));
        EXPECT_TRUE(co_await here.send(bytes_of("second")));
        EXPECT_EQ((co_await here.send({})).error(), std::errc::invalid_argument);
        std::string buffer(4, '\0');
        const auto cut = (co_await there.receive(room_in(buffer))).value();
        EXPECT_TRUE(cut.truncated);
        EXPECT_EQ(cut.size, 5U);
        buffer.resize(16);
        EXPECT_EQ((co_await there.receive(room_in(buffer))).value().size, 6U);
        EXPECT_EQ(there.identify_peer().value().process, ::getpid());

        EXPECT_TRUE(here.shut_down(shut::writing));
        for (int again = 0; again < 2; ++again)
            EXPECT_EQ((co_await there.receive(room_in(buffer))).error(), errc::end_of_stream);
        EXPECT_TRUE(co_await there.send(bytes_of("still open this way")));
        EXPECT_EQ((co_await here.receive({})).value().size, 19U);
        EXPECT_TRUE(co_await there.close());
        EXPECT_EQ((co_await here.send(bytes_of("x"))).error(), std::errc::broken_pipe);
    });
}

TEST_P(unix_messages, sequenced_packets_go_out_in_order_past_a_full_queue) {
    run([]() -> task<> {
        auto [here, there] = unix_socket::sequential_pair().value();
        constexpr int senders = 40;
        std::string got;
        co_await with_scope([&](scope& side) -> task<> {
            for (int sender = 0; sender < senders; ++sender)
                side.spawn_now([](unix_socket::sequential& to, int number) -> task<> {
                    const std::string text(20'000, static_cast<char>('0' + number));
                    EXPECT_TRUE(co_await to.send(bytes_of(std::string_view(text))));
                }(here, sender));
            for (int turn = 0; turn < 20; ++turn) co_await yield();
            std::string buffer(20'000, '\0');
            for (int message = 0; message < senders; ++message) {
                EXPECT_EQ((co_await there.receive(room_in(buffer))).value().size, 20'000U);
                got += buffer.front();
            }
        });
        for (int message = 0; message < senders; ++message)
            EXPECT_EQ(got[static_cast<std::size_t>(message)], static_cast<char>('0' + message));
    });
}

TEST_P(unix_messages, pairs_of_datagrams) {
    run([]() -> task<> {
        auto [here, there] = unix_socket::datagram::pair().value();
        EXPECT_TRUE(co_await here.send(bytes_of("over")));
        std::string buffer(8, '\0');
        EXPECT_EQ((co_await there.receive(room_in(buffer))).value().size, 4U);
        const native_handle native = there.release().value();
        auto adopted = unix_socket::datagram::adopt(native).value();
        EXPECT_TRUE(co_await adopted.send(bytes_of("and back")));
        EXPECT_EQ((co_await here.receive(room_in(buffer))).value().size, 8U);
        EXPECT_EQ(buffer, "and back");
    });
}

}  // namespace
}  // namespace upcall::testing
