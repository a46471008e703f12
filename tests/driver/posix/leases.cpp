// Data that arrives is lent out in a buffer of the pool: a small one where it fits, and when the
// pool is empty the receiver waits for a buffer without losing a byte.
#include <deque>
#include <string>

#include "support/driver_test.hpp"

namespace upcall::test {
namespace {

class leases : public driver_test {
  protected:
    leases() { std::tie(client_, server_) = bench.connected(); }

    void receive(probe& op, const handle& from, std::uint8_t flags = op_none) {
        op.kind = op_kind::receive;
        op.flags = flags;
        start(op, from);
    }
    void take_all_buffers() {
        while (std::byte* block = bench.buffers().take_small()) taken_.push_back(block);
        while (std::byte* block = bench.buffers().take_large()) taken_.push_back(block);
    }
    void give_back_one() {
        bench.buffers().give_back(taken_.back());
        taken_.pop_back();
    }
    ~leases() override {
        while (!taken_.empty()) give_back_one();
    }

    handle client_;
    handle server_;
    std::vector<std::byte*> taken_;
};
UPCALL_FOR_EVERY_DRIVER(leases);

TEST_P(leases, little_comes_in_a_small_buffer) {
    probe op;
    receive(op, server_);
    EXPECT_EQ(write(client_, "little"), 6);
    EXPECT_EQ(bench.finish(op), 6);
    EXPECT_FALSE(bench.buffers().is_large(op.leased));
    EXPECT_EQ(bench.buffers().outstanding(), 1U);
    EXPECT_EQ(bench.take(op.result, op.leased), "little");
    EXPECT_EQ(bench.buffers().outstanding(), 0U);
}

TEST_P(leases, much_and_bulk_come_in_a_large_buffer) {
    const std::string much(20000, 'm');
    EXPECT_EQ(write(client_, much), 20000);
    std::string got;
    while (got.size() < much.size()) {
        probe op;
        receive(op, server_, op_bulk);
        ASSERT_GT(bench.finish(op), 0);
        EXPECT_TRUE(bench.buffers().is_large(op.leased));
        got += bench.take(op.result, op.leased);
    }
    EXPECT_EQ(got, much);
}

TEST_P(leases, the_end_and_an_idle_receiver_own_no_buffer) {
    probe op;
    receive(op, server_);
    settle();
    EXPECT_EQ(bench.buffers().outstanding(), 0U);
    client_.close();
    EXPECT_EQ(bench.finish(op), 0);
    EXPECT_EQ(bench.buffers().outstanding(), 0U);
}

TEST_P(leases, without_a_buffer_the_receiver_waits_for_one) {
    take_all_buffers();
    EXPECT_EQ(write(client_, "patience"), 8);
    probe op;
    receive(op, server_);
    settle();
    EXPECT_FALSE(op.done());
    give_back_one();
    EXPECT_EQ(bench.finish(op), 8);
    EXPECT_EQ(bench.take(op.result, op.leased), "patience");
}

TEST_P(leases, one_buffer_serves_many_receivers_one_after_another) {
    take_all_buffers();
    constexpr int count = 20;
    std::vector<std::pair<handle, handle>> pairs;
    std::vector<probe> ops(count);
    int received = 0;
    for (int at = 0; at < count; ++at) {
        pairs.push_back(bench.connected());
        EXPECT_EQ(write(pairs.back().first, "x"), 1);
        probe& op = ops[static_cast<std::size_t>(at)];
        op.then = [this, &op, &received] {
            ++received;
            EXPECT_EQ(bench.take(op.result, op.leased), "x");
        };
        receive(op, pairs.back().second);
    }
    settle();
    EXPECT_EQ(received, 0);
    give_back_one();
    bench.until([&] { return received == count; });
}

TEST_P(leases, a_receiver_without_a_buffer_can_be_cancelled_and_loses_nothing) {
    take_all_buffers();
    EXPECT_EQ(write(client_, "kept"), 4);
    probe op;
    receive(op, server_);
    settle();
    op.request_cancel(cancel_cause::cancelled);
    EXPECT_EQ(bench.finish(op), -ECANCELED);
    std::byte bytes[16];
    EXPECT_EQ(read(server_, bytes), 4);
}

TEST_P(leases, a_read_behind_a_receiver_without_a_buffer_needs_none) {
    take_all_buffers();
    EXPECT_EQ(write(client_, "kept"), 4);
    probe op;
    receive(op, server_);
    probe reading;
    std::byte bytes[16];
    fill(reading, op_kind::read, bytes);
    start(reading, server_);
    settle();
    EXPECT_FALSE(reading.done());
    op.request_cancel(cancel_cause::cancelled);
    EXPECT_EQ(bench.finish(op), -ECANCELED);
    EXPECT_EQ(bench.finish(reading), 4);
}

TEST_P(leases, closing_ends_a_receiver_without_a_buffer) {
    take_all_buffers();
    EXPECT_EQ(write(client_, "lost"), 4);
    probe op;
    receive(op, server_);
    settle();
    server_.close();
    EXPECT_EQ(bench.finish(op), -ECANCELED);
    EXPECT_EQ(op.error(), errc::closed);
}

// More of them than a turn makes, and than there are large buffers; one is cancelled and one closed
// before it was tried.
TEST_P(leases, large_ones_of_many_streams_end_once_each) {
    constexpr std::size_t streams = 12;
    constexpr std::size_t cancelled = 3;
    constexpr std::size_t closed = 5;
    std::deque<std::pair<handle, handle>> ends;
    std::deque<probe> ops(streams);
    const auto text_for = [](std::size_t at) { return "stream " + std::to_string(at); };
    const auto say = [&](std::size_t at) {
        const auto said = write(ends[at].first, text_for(at));
        EXPECT_GT(said, 0);
    };
    for (std::size_t at = 0; at < streams; ++at) {
        ends.push_back(bench.connected());
        if (at % 3 != 2) say(at);
        receive(ops[at], ends[at].second, op_bulk);
    }
    ops[cancelled].request_cancel(cancel_cause::cancelled);
    bench.close(ends[closed].second);
    for (std::size_t at = 2; at < streams; at += 3) say(at);
    for (std::size_t at = 0; at < streams; ++at) {
        const auto outcome = bench.finish(ops[at]);
        if (outcome == -ECANCELED) {
            EXPECT_TRUE(at == cancelled || at == closed) << at;
            continue;
        }
        ASSERT_GT(outcome, 0) << at;
        EXPECT_EQ(bench.take(outcome, ops[at].leased), text_for(at));
    }
    // What the cancelled one left is there for the next.
    if (ops[cancelled].result == -ECANCELED) {
        std::byte bytes[16];
        EXPECT_EQ(read(ends[cancelled].second, bytes), 8);
    }
}

}  // namespace
}  // namespace upcall::test
