// Connecting: what the kernel says, said once, and cancelled without leaving a trace.
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "driver/posix/sockaddr.hpp"
#include "support/driver_test.hpp"

namespace upcall::test {
namespace {

class connects : public driver_test {
  protected:
    handle tcp() { return *via().open_socket(address_family::ipv4, socket_type::stream); }
    handle unix_stream() {
        return *via().open_socket(address_family::unix_path, socket_type::stream);
    }
    std::int64_t connect_to(const handle& from, const address& where) {
        probe op;
        connect(op, from, where);
        return bench.finish(op);
    }
    /// A TCP address that answers no handshake: its queue of connections is full.
    address silent_address() {
        full_ = bench.listening(address::loopback(0), 0);
        const auto where = *via().local_address(*full_.record());
        for (int count = 0; count < 4; ++count) {
            const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
            kernel_address native(where);
            ::connect(fd, native.get(), native.size);
            callers_.push_back(fd);
        }
        return where;
    }
    ~connects() override {
        for (const int fd : callers_) ::close(fd);
    }

    handle full_;
    std::vector<int> callers_;
};
UPCALL_FOR_EVERY_DRIVER(connects);

TEST_P(connects, reaches_a_listener) {
    auto [client, server] = bench.connected();
    EXPECT_EQ(*via().peer_address(*client.record()), *via().local_address(*server.record()));
    EXPECT_EQ(*via().local_address(*client.record()), *via().peer_address(*server.record()));
}

TEST_P(connects, is_refused_where_nobody_listens) {
    auto gone = bench.listening(address::loopback(0));
    const auto where = *via().local_address(*gone.record());
    gone.close();
    EXPECT_EQ(connect_to(tcp(), where), -ECONNREFUSED);
    EXPECT_EQ(connect_to(unix_stream(), *address::unix_path("@upcall-nobody-here")), -ECONNREFUSED);
    EXPECT_EQ(connect_to(unix_stream(), *address::unix_path("/nonexistent/socket")), -ENOENT);
}

TEST_P(connects, to_itself_is_refused) {
    auto socket = tcp();
    EXPECT_TRUE(via().bind(*socket.record(), address::loopback(0)));
    const auto own = *via().local_address(*socket.record());
    EXPECT_EQ(connect_to(socket, own), -ECONNREFUSED);
    std::byte one[1];
    EXPECT_EQ(read(socket, one), raw_error(errc::interrupted));
}

TEST_P(connects, twice_is_an_error) {
    auto [client, server] = bench.connected();
    EXPECT_EQ(connect_to(client, *via().peer_address(*client.record())), -EISCONN);
    const auto where = silent_address();
    auto waiting = tcp();
    probe first;
    connect(first, waiting, where);
    EXPECT_EQ(connect_to(waiting, where), -EALREADY);
    bench.turn();
    EXPECT_FALSE(first.done());
    waiting.close();
    EXPECT_EQ(bench.finish(first), -ECANCELED);
}

TEST_P(connects, cancelled_leaves_a_handle_that_can_only_be_closed) {
    const auto where = silent_address();
    auto socket = tcp();
    probe connecting;
    connect(connecting, socket, where);
    bench.turn();
    ASSERT_FALSE(connecting.done());
    connecting.request_cancel(cancel_cause::cancelled);
    EXPECT_EQ(bench.finish(connecting), -ECANCELED);
    EXPECT_EQ(connect_to(socket, where), raw_error(errc::interrupted));
}

TEST_P(connects, that_was_there_before_the_cancellation_counts) {
    auto listener = bench.listening(address::loopback(0));
    const auto where = *via().local_address(*listener.record());
    int connected = 0;
    for (int round = 0; round < 200; ++round) {
        auto socket = tcp();
        probe connecting;
        connect(connecting, socket, where);
        connecting.request_cancel(cancel_cause::cancelled);
        const auto outcome = bench.finish(connecting);
        if (outcome == 0)
            ++connected;
        else
            EXPECT_EQ(outcome, -ECANCELED);
        EXPECT_EQ(socket.record()->broken, outcome != 0);
        probe accepting;
        accepting.kind = op_kind::accept;
        const auto accepted = perform(accepting, listener);
        ASSERT_GE(accepted, 0);
        ::close(static_cast<int>(accepted));
    }
    // On loopback the handshake is over when connect returns.
    EXPECT_GT(connected, 0);
}

TEST_P(connects, to_a_unix_socket_with_a_full_queue_waits_for_room) {
    const auto where = *address::unix_path("@upcall-full-" + std::to_string(::getpid()));
    auto listener = bench.listening(where, 0);
    auto first = unix_stream();
    EXPECT_EQ(connect_to(first, where), 0);
    auto second = unix_stream();
    auto third = unix_stream();
    probe waiting;
    probe cancelled;
    connect(waiting, second, where);
    connect(cancelled, third, where);
    for (int turn = 0; turn < 3; ++turn) bench.turn();
    EXPECT_FALSE(waiting.done());
    cancelled.request_cancel(cancel_cause::cancelled);
    EXPECT_EQ(bench.finish(cancelled), -ECANCELED);
    EXPECT_FALSE(third.record()->broken);
    probe accepting;
    accepting.kind = op_kind::accept;
    const auto accepted = perform(accepting, listener);
    ASSERT_GE(accepted, 0);
    ::close(static_cast<int>(accepted));
    EXPECT_EQ(bench.finish(waiting), 0);
}

TEST_P(connects, a_read_that_was_started_first_sees_the_data) {
    auto listener = bench.listening(address::loopback(0));
    const auto where = *via().local_address(*listener.record());
    auto client = tcp();
    probe connecting;
    connect(connecting, client, where);
    std::byte bytes[16];
    probe reading;
    fill(reading, op_kind::read, bytes);
    start(reading, client);
    probe accepting;
    accepting.kind = op_kind::accept;
    auto server = *via().adopt_accepted(static_cast<native_handle>(perform(accepting, listener)));
    EXPECT_EQ(bench.finish(connecting), 0);
    EXPECT_EQ(write(server, "hi"), 2);
    EXPECT_EQ(bench.finish(reading), 2);
}

}  // namespace
}  // namespace upcall::test
