// Cancellation asks: an operation ends cancelled and has done nothing, or it ends with what it did.
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "support/driver_test.hpp"

namespace upcall::test {
namespace {

class cancels : public driver_test {
  protected:
    cancels() { std::tie(client_, server_) = bench.connected(); }
    handle client_;
    handle server_;
    std::byte bytes_[64]{};
};
UPCALL_FOR_EVERY_DRIVER(cancels);

TEST_P(cancels, a_waiting_read_takes_no_data) {
    probe op;
    fill(op, op_kind::read, bytes_);
    start(op, server_);
    settle();
    op.request_cancel(cancel_cause::deadline);
    op.request_cancel(cancel_cause::cancelled);
    EXPECT_EQ(bench.finish(op), -ECANCELED);
    EXPECT_EQ(op.error(), errc::deadline_exceeded);
    EXPECT_EQ(write(client_, "x"), 1);
    EXPECT_EQ(read(server_, bytes_), 1);
}

TEST_P(cancels, one_of_many_leaves_the_order_of_the_others) {
    probe ops[5];
    std::byte parts[5][1];
    for (int at = 0; at < 5; ++at) {
        fill(ops[at], op_kind::read, parts[at]);
        start(ops[at], server_);
    }
    settle();
    for (const int at : {0, 2, 4}) {
        ops[at].request_cancel(cancel_cause::cancelled);
        EXPECT_EQ(bench.finish(ops[at]), -ECANCELED);
    }
    EXPECT_EQ(write(client_, "ab"), 2);
    EXPECT_EQ(bench.finish(ops[1]), 1);
    EXPECT_EQ(bench.finish(ops[3]), 1);
    EXPECT_EQ(text_of(parts[1]), "a");
    EXPECT_EQ(text_of(parts[3]), "b");
}

TEST_P(cancels, everything_in_a_context) {
    constexpr std::size_t count = 500;
    std::vector<probe> ops(count);
    for (auto& op : ops) {
        fill(op, op_kind::read, bytes_);
        start(op, server_);
    }
    settle();
    bench.root().cancel();
    for (auto& op : ops) EXPECT_EQ(bench.finish(op), -ECANCELED);
}

TEST_P(cancels, a_write_in_a_full_buffer_has_moved_nothing) {
    const std::string bulk(1 << 20, '-');
    std::size_t sent = 0;
    probe op;
    for (;;) {
        fill(op, op_kind::write, bytes_of(bulk));
        start(op, client_);
        for (int turn = 0; turn < 20 && !op.done(); ++turn) bench.turn();
        if (!op.done()) break;
        sent += static_cast<std::size_t>(op.result);
    }
    op.request_cancel(cancel_cause::cancelled);
    const auto outcome = bench.finish(op);
    if (outcome > 0)
        sent += static_cast<std::size_t>(outcome);
    else
        EXPECT_EQ(outcome, -ECANCELED);
    EXPECT_TRUE(via().shut_down(*client_.record(), shut::writing));
    std::vector<std::byte> into(1 << 16);
    std::size_t got = 0;
    for (std::int64_t count = 0; (count = read(server_, into)) > 0;)
        got += static_cast<std::size_t>(count);
    EXPECT_EQ(got, sent);
}

// 10,000 rounds: the byte is on its way before, while or after the read is cancelled.
TEST_P(cancels, against_completion_loses_no_byte) {
    auto raw = via().release(client_);
    ASSERT_TRUE(raw);
    const int fd = static_cast<int>(*raw);
    std::atomic<int> round_to_write = 0;
    std::atomic<int> written = 0;
    constexpr int rounds = 10'000;
    std::thread writer([&] {
        for (int round = 1; round <= rounds; ++round) {
            for (int seen = 0; (seen = round_to_write.load()) < round;) round_to_write.wait(seen);
            for (volatile int pause = 0; pause < round % 50 * 20;) pause = pause + 1;
            EXPECT_EQ(::send(fd, "x", 1, MSG_NOSIGNAL), 1);
            written.store(round);
            written.notify_one();
        }
    });
    const auto await_writer = [&](int round) {
        for (int seen = 0; (seen = written.load()) < round;) written.wait(seen);
    };
    int completed = 0;
    int cancelled = 0;
    for (int round = 1; round <= rounds; ++round) {
        probe op;
        fill(op, op_kind::read, bytes_);
        start(op, server_);
        round_to_write.store(round);
        round_to_write.notify_one();
        // Steered: one round in eight waits for the byte, one in four cancels without a look.
        if (round % 8 == 0) await_writer(round);
        for (int turn = round / 8 % 4; turn > 0 && !op.done(); --turn) bench.turn();
        op.request_cancel(cancel_cause::cancelled);
        const auto outcome = bench.finish(op);
        if (outcome == 1) {
            ++completed;
        } else {
            ASSERT_EQ(outcome, -ECANCELED);
            ++cancelled;
            ASSERT_EQ(read(server_, bytes_), 1);
        }
        await_writer(round);
    }
    writer.join();
    ::close(fd);
    EXPECT_EQ(completed + cancelled, rounds);
    EXPECT_GE(completed, rounds / 100);
    EXPECT_GE(cancelled, rounds / 100);
}

TEST_P(cancels, against_an_accept_loses_no_connection) {
    auto listener = bench.listening();
    const auto where = *via().local_address(*listener.record());
    int accepted = 0;
    for (int round = 0; round < 500; ++round) {
        probe op;
        op.kind = op_kind::accept;
        start(op, listener);
        auto caller = *via().open_socket(address_family::ipv4, socket_type::stream);
        probe connecting;
        connect(connecting, caller, where);
        // In one round of four the connection wins, in the others chance decides.
        if (round % 4 == 3) bench.finish(op);
        for (int turn = round % 4; turn > 0 && !op.done(); --turn) bench.turn();
        op.request_cancel(cancel_cause::cancelled);
        auto fd = bench.finish(op);
        if (fd >= 0) ++accepted;
        if (fd < 0) fd = accept(listener);
        ASSERT_GE(fd, 0);
        ::close(static_cast<int>(fd));
        EXPECT_EQ(bench.finish(connecting), 0);
    }
    EXPECT_GE(accepted, 125);
}

}  // namespace
}  // namespace upcall::test
