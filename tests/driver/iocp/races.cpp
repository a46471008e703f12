// Cancelling and closing against completing, where the system decides: whoever wins, nothing that
// happened is lost. How many turns lie between the two is drawn.
#include <cerrno>
#include <random>
#include <string>
#include <vector>

#include "driver/iocp/iocp_test.hpp"

namespace upcall::test {
namespace {

constexpr int rounds = 500;

class iocp_races : public iocp_test {
  protected:
    /// Acts in an order that is drawn, with some turns between: `cause` makes `op` complete.
    template <class Cause>
    void race(bench_operation& op, Cause&& cause) {
        const bool early = coin();
        if (early) cause();
        for (auto left = draw_() % 4; left > 0; --left) bench.turn();
        op.request_cancel(cancel_cause::cancelled);
        if (!early) cause();
        bench.finish(op);
        ++(op.result == -ECANCELED ? called_off : completed);
    }
    bool coin() { return draw_() % 2 == 0; }

    void TearDown() override {
        EXPECT_EQ(called_off + completed, rounds);
        EXPECT_GE(called_off, rounds / 100);
        EXPECT_GE(completed, rounds / 100);
        EXPECT_EQ(bench.buffers().outstanding(), 0U);
    }

    int called_off = 0;
    int completed = 0;

  private:
    std::minstd_rand draw_{7};
};

TEST_F(iocp_races, of_a_read_lose_no_byte) {
    auto [client, server] = bench.connected();
    for (int round = 0; round < rounds; ++round) {
        const std::string sent(1, static_cast<char>('a' + round % 26));
        std::byte one{};
        bench_operation reading;
        bench.read(reading, server, {&one, 1});
        race(reading, [&, &from = client] { EXPECT_EQ(write(from, sent), 1); });
        if (reading.result == -ECANCELED) {
            EXPECT_EQ(one, std::byte{});
            EXPECT_EQ(read(server, {&one, 1}), 1);
        }
        ASSERT_EQ(text_of({&one, 1}), sent);
    }
}

TEST_F(iocp_races, of_a_read_of_a_pipe_lose_no_byte) {
    auto [reader, writer] = *via().open_pipe();
    for (int round = 0; round < rounds; ++round) {
        const std::string sent(1, static_cast<char>('a' + round % 26));
        bench_operation reading;
        bench.receive(reading, reader);
        race(reading, [&, &to = writer] { EXPECT_EQ(write(to, sent), 1); });
        if (reading.result == -ECANCELED) {
            bench.receive(reading, reader);
            bench.finish(reading);
        }
        ASSERT_EQ(bench.take(reading.result, reading.leased), sent);
    }
}

TEST_F(iocp_races, of_a_receive_source_lose_no_byte) {
    auto [client, server] = bench.connected();
    for (int round = 0; round < rounds; ++round) {
        bench_operation receiving;
        bench.receive(receiving, server, op_multishot);
        // A source only ends by being asked to: whether it got something first is the race.
        const bool early = coin();
        if (early) {
            EXPECT_EQ(write(client, "xyz"), 3);
        }
        for (int left = coin() ? 2 : 0; left > 0; --left) bench.turn();
        receiving.request_cancel(cancel_cause::cancelled);
        if (!early) {
            EXPECT_EQ(write(client, "xyz"), 3);
        }
        EXPECT_EQ(bench.finish(receiving), -ECANCELED);
        std::string got;
        for (const auto& value : receiving.values) got += bench.take(value.number, value.leased);
        ++(got.empty() ? called_off : completed);
        got += read_text(server, 3 - got.size());
        ASSERT_EQ(got, "xyz");
    }
}

TEST_F(iocp_races, of_an_accept_lose_no_connection) {
    handle listener = bench.listening();
    const address where = *via().local_address(*listener.record());
    for (int round = 0; round < rounds; ++round) {
        handle client = socket();
        bench_operation accepting;
        bench_operation connecting;
        bench.accept(accepting, listener);
        race(accepting, [&] {
            bench.connect(connecting, client, where);
            if (coin()) bench.finish(connecting);
        });
        if (accepting.result == -ECANCELED) {
            bench.accept(accepting, listener);
            bench.finish(accepting);
        }
        ASSERT_GE(accepting.result, 0);
        if (!connecting.done()) bench.finish(connecting);
        EXPECT_EQ(connecting.result, 0);
        handle server = *via().adopt_accepted(static_cast<native_handle>(accepting.result));
        EXPECT_EQ(write(client, "x"), 1);
        EXPECT_EQ(read_text(server, 1), "x");
    }
}

TEST_F(iocp_races, of_a_connect_spoil_the_socket) {
    handle listener = bench.listening();
    const address where = *via().local_address(*listener.record());
    // Wine leaves a connection waiting which a full backlog has no room for, so that calling it off
    // wins even where the system connects faster than one can ask.
    handle crowded = bench.listening(address::loopback(0), 1);
    const address full = *via().local_address(*crowded.record());
    handle first = socket();
    handle second = socket();
    ASSERT_EQ(connect(first, full), 0);
    ASSERT_EQ(connect(second, full), 0);
    for (int round = 0; round < rounds; ++round) {
        handle client = socket();
        bench_operation accepting;
        bench.accept(accepting, listener);
        bench_operation connecting;
        bench.connect(connecting, client, round % 16 == 0 ? full : where);
        race(connecting, [] {});
        if (connecting.result == -ECANCELED) {
            EXPECT_EQ(write(client, "x"), raw_error(errc::interrupted));
        } else {
            EXPECT_EQ(connecting.result, 0);
            EXPECT_EQ(write(client, "x"), 1);
        }
        bench.close(client);
        // Of a connection that was called off the listener may never hear.
        accepting.request_cancel(cancel_cause::cancelled);
        bench.finish(accepting);
        if (accepting.result >= 0)
            handle(*via().adopt_accepted(static_cast<native_handle>(accepting.result)));
    }
}

TEST_F(iocp_races, of_closing_end_every_operation_once) {
    for (int round = 0; round < rounds; ++round) {
        auto [client, server] = bench.connected();
        std::byte one{};
        bench_operation reading;
        bench_operation receiving;
        bench_operation writing;
        bench.read(reading, server, {&one, 1});
        bench.receive(receiving, server, coin() ? op_multishot : op_none);
        if (coin()) {
            EXPECT_EQ(write(client, "xy"), 2);
        }
        for (int left = coin() ? 2 : 0; left > 0; --left) bench.turn();
        if (coin()) reading.request_cancel(cancel_cause::cancelled);
        EXPECT_EQ(bench.close(server), 0);
        if (!reading.done()) bench.finish(reading);
        if (!receiving.done()) bench.finish(receiving);
        EXPECT_EQ(reading.completions, 1);
        EXPECT_EQ(receiving.completions, 1);
        ++(reading.result == -ECANCELED ? called_off : completed);
        for (const auto& value : receiving.values) bench.take(value.number, value.leased);
        if (receiving.result > 0) bench.take(receiving.result, receiving.leased);
    }
}

}  // namespace
}  // namespace upcall::test
