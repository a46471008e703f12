// Streams over a completion port, where Windows differs from what the contract asks for.
#include <cerrno>
#include <deque>
#include <vector>

#include "driver/iocp/iocp_test.hpp"

namespace upcall::test {
namespace {

using iocp_streams = iocp_test;

TEST_F(iocp_streams, reads_of_one_stream_keep_their_order) {
    auto [client, server] = bench.connected();
    std::deque<bench_operation> reads(6);
    std::byte buffers[6][4];
    for (std::size_t at = 0; at < 6; ++at) bench.read(reads[at], server, buffers[at]);
    for (std::size_t at = 0; at < 6; ++at) {
        const std::string text(4, static_cast<char>('a' + at));
        EXPECT_EQ(write(client, text), 4);
        ASSERT_EQ(bench.finish(reads[at]), 4);
        EXPECT_EQ(text_of(buffers[at]), text);
        for (std::size_t later = at + 1; later < 6; ++later) EXPECT_FALSE(reads[later].done());
    }
}

TEST_F(iocp_streams, a_receive_behind_a_read_waits_for_it) {
    auto [client, server] = bench.connected();
    std::byte buffer[4];
    bench_operation reading;
    bench_operation receiving;
    bench.read(reading, server, buffer);
    bench.receive(receiving, server);
    EXPECT_EQ(write(client, "read"), 4);
    EXPECT_EQ(bench.finish(reading), 4);
    for (int turn = 0; turn < 5; ++turn) bench.turn();
    EXPECT_FALSE(receiving.done());
    EXPECT_EQ(write(client, "leased"), 6);
    EXPECT_EQ(bench.finish(receiving), 6);
    EXPECT_EQ(bench.take(6, receiving.leased), "leased");
}

TEST_F(iocp_streams, cancelling_one_that_waits_leaves_its_neighbours_alone) {
    auto [client, server] = bench.connected();
    std::byte buffers[3][1];
    bench_operation reads[3];
    for (std::size_t at = 0; at < 3; ++at) bench.read(reads[at], server, buffers[at]);
    reads[1].request_cancel(cancel_cause::cancelled);
    EXPECT_EQ(bench.finish(reads[1]), -ECANCELED);
    EXPECT_FALSE(reads[0].done());
    EXPECT_FALSE(reads[2].done());
    EXPECT_EQ(write(client, "ac"), 2);
    EXPECT_EQ(bench.finish(reads[0]), 1);
    EXPECT_EQ(bench.finish(reads[2]), 1);
    EXPECT_EQ(text_of(buffers[0]), "a");
    EXPECT_EQ(text_of(buffers[2]), "c");
}

TEST_F(iocp_streams, a_write_that_was_cut_short_by_cancelling_spoils_the_stream) {
    auto [client, server] = bench.connected();
    const std::string bulk(16 << 20, 'x');
    std::deque<bench_operation> writes;
    // Until one has to wait for the reader.
    do {
        bench_operation& writing = writes.emplace_back();
        bench.write(writing, client, bytes_of(bulk));
        for (int turn = 0; turn < 20 && !writing.done(); ++turn) bench.turn();
    } while (writes.back().done() && writes.size() < 64);
    bench_operation& waiting = writes.back();
    ASSERT_FALSE(waiting.done());
    waiting.request_cancel(cancel_cause::cancelled);
    const auto outcome = bench.finish(waiting);
    if (outcome < 0) {
        EXPECT_EQ(outcome, raw_error(errc::interrupted));
        EXPECT_EQ(write(client, "x"), raw_error(errc::interrupted));
    } else {
        EXPECT_LE(outcome, static_cast<std::int64_t>(bulk.size()));
    }
}

TEST_F(iocp_streams, writes_behind_an_interrupted_one_are_not_sent) {
    auto [reader, writer] = *via().open_pipe();
    const std::string bulk(1 << 20, 'x');
    bench_operation first;
    bench_operation second;
    bench.write(first, writer, bytes_of(bulk));
    bench.write(second, writer, bytes_of("behind"));
    bench.turn();
    ASSERT_FALSE(first.done()) << "it fits no pipe";
    first.request_cancel(cancel_cause::cancelled);
    const auto outcome = bench.finish(first);
    EXPECT_NE(outcome, -ECANCELED) << "of a write that the kernel had, nobody can say that";
    if (outcome < 0) {
        EXPECT_EQ(outcome, raw_error(errc::interrupted));
        EXPECT_EQ(bench.finish(second), raw_error(errc::interrupted));
    }
    bench.close(writer);
    if (!second.done()) bench.finish(second);
}

// Whoever interrupts a write, what waits behind it finds the stream spoilt.
TEST_F(iocp_streams, what_waited_on_a_spoilt_stream_is_not_begun) {
    auto [reader, writer] = *via().open_pipe();
    const std::string bulk(1 << 20, 'x');
    bench_operation first;
    bench_operation second;
    bench.write(first, writer, bytes_of(bulk));
    bench.write(second, writer, bytes_of("behind"));
    writer.record()->broken = true;
    std::string got;
    while (!first.done()) got += read_text(reader, 512);
    EXPECT_EQ(first.result, static_cast<std::int64_t>(bulk.size()));
    EXPECT_EQ(bench.finish(second), raw_error(errc::interrupted));
}

TEST_F(iocp_streams, closing_after_a_cancelled_write_does_not_make_it_undone) {
    auto [reader, writer] = *via().open_pipe();
    const std::string bulk(1 << 20, 'x');
    bench_operation writing;
    bench.write(writing, writer, bytes_of(bulk));
    bench.turn();
    ASSERT_FALSE(writing.done());
    writing.request_cancel(cancel_cause::cancelled);
    bench.close(writer);
    bench.finish(writing);
    EXPECT_NE(writing.result, -ECANCELED);
}

TEST_F(iocp_streams, a_reset_is_told) {
    auto [client, server] = bench.connected();
    std::byte one{};
    bench_operation reading;
    bench.read(reading, server, {&one, 1});
    EXPECT_TRUE(via().set_option(*client.record(), socket_option::linger_seconds, 0));
    bench.close(client);
    EXPECT_EQ(bench.finish(reading), -ECONNRESET);
}

TEST_F(iocp_streams, half_closed_the_other_half_goes_on) {
    auto [client, server] = bench.connected();
    EXPECT_TRUE(via().shut_down(*client.record(), shut::writing));
    EXPECT_EQ(write(client, "x"), -EPIPE);
    std::byte one{};
    EXPECT_EQ(read(server, {&one, 1}), 0);
    EXPECT_EQ(write(server, "still here"), 10);
    EXPECT_EQ(read_text(client, 10), "still here");
}

TEST_F(iocp_streams, pairs_and_pipes_carry_bytes) {
    auto [one, other] = *via().open_pair(socket_type::stream);
    EXPECT_EQ(write(one, "to"), 2);
    EXPECT_EQ(write(other, "fro"), 3);
    EXPECT_EQ(read_text(other, 2), "to");
    EXPECT_EQ(read_text(one, 3), "fro");

    auto [reader, writer] = *via().open_pipe();
    EXPECT_EQ(write(writer, "through"), 7);
    EXPECT_EQ(read_text(reader, 7), "through");
    bench_operation receiving;
    bench.receive(receiving, reader, op_multishot);
    EXPECT_EQ(write(writer, "leased"), 6);
    bench.until([&] { return !receiving.values.empty(); });
    EXPECT_EQ(bench.take(receiving.values[0].number, receiving.values[0].leased), "leased");
    bench.close(writer);
    EXPECT_EQ(bench.finish(receiving), 0);
    EXPECT_EQ(bench.buffers().outstanding(), 0U);
    auto [second_reader, second_writer] = *via().open_pipe();
    bench.close(second_reader);
    EXPECT_EQ(write(second_writer, "x"), -EPIPE);
}

TEST_F(iocp_streams, a_waiting_read_of_a_pipe_is_cancelled) {
    auto [reader, writer] = *via().open_pipe();
    std::byte buffer[4];
    bench_operation reading;
    bench.read(reading, reader, buffer);
    reading.request_cancel(cancel_cause::cancelled);
    EXPECT_EQ(bench.finish(reading), -ECANCELED);
    bench_operation receiving;
    bench.receive(receiving, reader);
    receiving.request_cancel(cancel_cause::cancelled);
    EXPECT_EQ(bench.finish(receiving), -ECANCELED);
    EXPECT_EQ(bench.buffers().outstanding(), 0U);
    EXPECT_EQ(write(writer, "x"), 1);
    EXPECT_EQ(read(reader, buffer), 1);
}

TEST_F(iocp_streams, connecting_twice_is_an_error) {
    auto [client, server] = bench.connected();
    EXPECT_EQ(connect(client, *via().peer_address(*client.record())), -EISCONN);
    handle ipv6 = *via().open_socket(address_family::ipv6, socket_type::stream);
    EXPECT_EQ(connect(ipv6, address::loopback(1)), -EAFNOSUPPORT);
}

TEST_F(iocp_streams, what_was_released_can_be_used_without_a_port) {
    auto [client, server] = bench.connected();
    const auto released = via().release(client);
    ASSERT_TRUE(released);
    EXPECT_FALSE(client);
    // Bound to its port for ever: even the same driver cannot bind it again.
    EXPECT_FALSE(via().adopt(*released, handle_kind::stream));
    EXPECT_EQ(::send(static_cast<SOCKET>(*released), "plain", 5, 0), 5);
    EXPECT_EQ(read_text(server, 5), "plain");
    ::closesocket(static_cast<SOCKET>(*released));
    std::byte one{};
    EXPECT_EQ(read(server, {&one, 1}), 0);
}

TEST_F(iocp_streams, options_are_set_and_read_back) {
    handle made = socket();
    auto& record = *made.record();
    for (const auto which : {socket_option::keep_alive, socket_option::no_delay}) {
        EXPECT_TRUE(via().set_option(record, which, 1));
        EXPECT_EQ(via().get_option(record, which), 1);
    }
    EXPECT_EQ(via().get_option(record, socket_option::linger_seconds), -1);
    EXPECT_TRUE(via().set_option(record, socket_option::linger_seconds, 0));
    EXPECT_EQ(via().get_option(record, socket_option::linger_seconds), 0);
    EXPECT_TRUE(via().set_option(record, socket_option::linger_seconds, -1));
    EXPECT_EQ(via().get_option(record, socket_option::linger_seconds), -1);
    EXPECT_FALSE(via().set_option(record, socket_option::linger_seconds, 5));
    EXPECT_EQ(via().get_option(record, socket_option::pending_error), 0);
    EXPECT_TRUE(via().set_option(record, socket_option::reuse_address, 1));
    EXPECT_EQ(via().set_option(record, socket_option::reuse_port, 1).error(), errc::unsupported);
    EXPECT_EQ(via().open_socket(address_family::unix_path, socket_type::stream).error(),
              std::errc::address_family_not_supported);
}

}  // namespace
}  // namespace upcall::test
