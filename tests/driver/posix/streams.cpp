// Bytes arrive whole and in order, the end of a stream is told once the data is, and an empty
// transfer is not an end.
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <unistd.h>

#include <numeric>
#include <string>
#include <upcall/os/broken_pipe.hpp>

#include "support/driver_test.hpp"

namespace upcall::test {
namespace {

class streams : public driver_test {
  protected:
    std::string text(std::size_t size) const { return std::string(text_of({bytes_, size})); }
    std::byte bytes_[65536]{};
};
UPCALL_FOR_EVERY_DRIVER(streams);

TEST_P(streams, read_gets_what_was_written) {
    auto [client, server] = bench.connected();
    EXPECT_EQ(write(client, "hello"), 5);
    EXPECT_EQ(read(server, bytes_), 5);
    EXPECT_EQ(text(5), "hello");
}

// No event tells that the writing end of a pipe cannot be read: the read waited for ever.
TEST_P(streams, read_of_what_only_takes_writes_is_refused) {
    int ends[2]{};
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    auto reader = *via().adopt(ends[0], handle_kind::stream);
    auto writer = *via().adopt(ends[1], handle_kind::stream);
    EXPECT_EQ(read(writer, bytes_), -EBADF);
    EXPECT_EQ(read(writer, bytes_), -EBADF);
    EXPECT_EQ(write(reader, "lost"), -EBADF);
    EXPECT_EQ(write(writer, "kept"), 4);
    EXPECT_EQ(read(reader, bytes_), 4);
}

TEST_P(streams, read_waits_for_a_write) {
    auto [client, server] = bench.connected();
    probe reading;
    fill(reading, op_kind::read, bytes_);
    start(reading, server);
    bench.turn();
    EXPECT_FALSE(reading.done());
    EXPECT_EQ(write(client, "late"), 4);
    EXPECT_EQ(bench.finish(reading), 4);
    EXPECT_EQ(reading.completions, 1);
}

TEST_P(streams, data_comes_before_the_end_and_the_end_again) {
    auto [client, server] = bench.connected();
    EXPECT_EQ(write(client, "last words"), 10);
    EXPECT_TRUE(via().shut_down(*client.record(), shut::writing));
    EXPECT_EQ(read(server, bytes_), 10);
    EXPECT_EQ(read(server, bytes_), 0);
    EXPECT_EQ(read(server, bytes_), 0);
}

TEST_P(streams, end_that_comes_after_a_short_read_is_seen) {
    auto [client, server] = bench.connected();
    EXPECT_EQ(write(client, "abc"), 3);
    EXPECT_EQ(read(server, bytes_), 3);
    probe reading;
    fill(reading, op_kind::read, bytes_);
    start(reading, server);
    bench.turn();
    EXPECT_TRUE(via().shut_down(*client.record(), shut::writing));
    EXPECT_EQ(bench.finish(reading), 0);
}

TEST_P(streams, other_direction_goes_on_after_a_half_close) {
    auto [client, server] = bench.connected();
    EXPECT_TRUE(via().shut_down(*client.record(), shut::writing));
    EXPECT_EQ(read(server, bytes_), 0);
    EXPECT_EQ(write(server, "still here"), 10);
    EXPECT_EQ(read(client, bytes_), 10);
}

TEST_P(streams, empty_transfers_complete_with_nothing_moved) {
    auto [client, server] = bench.connected();
    EXPECT_EQ(write(client, ""), 0);
    EXPECT_EQ(read(server, {}), 0);
    io_slice empty[2] = {};
    for (const auto kind : {op_kind::read, op_kind::write}) {
        for (const std::size_t count : {0U, 2U}) {
            probe op;
            op.kind = kind;
            op.flags = op_vectored;
            op.data = empty;
            op.size = count;
            EXPECT_EQ(perform(op, server), 0);
        }
    }
    EXPECT_EQ(write(client, "x"), 1);
    EXPECT_EQ(read(server, bytes_), 1);
}

TEST_P(streams, pieces_are_gathered_and_scattered) {
    auto [client, server] = bench.connected();
    io_slice out[] = {byte_view{}, bytes_of("one"), byte_view{}, bytes_of("two")};
    probe writing;
    writing.kind = op_kind::write;
    writing.flags = op_vectored;
    writing.data = out;
    writing.size = std::size(out);
    EXPECT_EQ(perform(writing, client), 6);
    std::byte first[2];
    std::byte second[10];
    io_slice in[] = {byte_span(first), byte_span(second)};
    probe reading;
    reading.kind = op_kind::read;
    reading.flags = op_vectored;
    reading.data = in;
    reading.size = 2;
    EXPECT_EQ(perform(reading, server), 6);
    EXPECT_EQ(text_of(first), "on");
    EXPECT_EQ(text_of({second, 4}), "etwo");
}

TEST_P(streams, more_pieces_than_one_call_takes_are_begun) {
    auto [client, server] = bench.connected();
    const std::string letter = "x";
    std::vector<io_slice> out(IOV_MAX + 500, io_slice(bytes_of(letter)));
    probe writing;
    writing.kind = op_kind::write;
    writing.flags = op_vectored;
    writing.data = out.data();
    writing.size = out.size();
    EXPECT_EQ(perform(writing, client), IOV_MAX);
    // Empty pieces in front do not count, nor do they look like the end of the stream.
    std::vector<io_slice> in(IOV_MAX + 10);
    in.push_back(byte_span(bytes_));
    probe reading;
    reading.kind = op_kind::read;
    reading.flags = op_vectored;
    reading.data = in.data();
    reading.size = in.size();
    EXPECT_GT(perform(reading, server), 0);
}

TEST_P(streams, reads_take_effect_in_the_order_they_were_started) {
    auto [client, server] = bench.connected();
    std::byte parts[8][4]{};
    probe reading[8];
    std::vector<int> order;
    for (int at = 0; at < 8; ++at) {
        fill(reading[at], op_kind::read, parts[at]);
        reading[at].then = [&order, at] { order.push_back(at); };
        start(reading[at], server);
    }
    EXPECT_EQ(write(client, "aaaabbbbccccddddeeeeffffgggghhhh"), 32);
    bench.until([&] { return order.size() == 8; });
    for (int at = 0; at < 8; ++at) {
        EXPECT_EQ(order[static_cast<std::size_t>(at)], at);
        EXPECT_EQ(text_of(parts[at]), std::string(4, static_cast<char>('a' + at)));
    }
}

TEST_P(streams, writes_behind_a_full_buffer_keep_their_order) {
    auto [client, server] = bench.connected();
    EXPECT_TRUE(via().set_option(*client.record(), socket_option::send_buffer, 4096));
    const std::string bulk(1 << 20, '-');
    // Write until one has to wait; then two more behind it.
    std::size_t sent = 0;
    probe writing[3];
    for (;;) {
        fill(writing[0], op_kind::write, bytes_of(bulk));
        start(writing[0], client);
        bench.turn();
        bench.turn();
        if (!writing[0].done()) break;
        sent += static_cast<std::size_t>(writing[0].result);
    }
    fill(writing[1], op_kind::write, bytes_of("first"));
    fill(writing[2], op_kind::write, bytes_of("second"));
    start(writing[1], client);
    start(writing[2], client);
    // The last bytes may be here before the news that they were written: a read that waited for
    // more then would wait forever.
    std::string got;
    while (!got.ends_with("second")) {
        const auto count = read(server, bytes_);
        ASSERT_GT(count, 0);
        got += text(static_cast<std::size_t>(count));
    }
    bench.until([&] { return writing[2].done(); });
    EXPECT_EQ(got.size(), sent + static_cast<std::size_t>(writing[0].result) + 5 + 6);
    EXPECT_TRUE(got.ends_with("-firstsecond"));
}

TEST_P(streams, many_round_trips_lose_no_event) {
    auto [client, server] = bench.connected();
    std::byte request[8];
    std::byte answer[8];
    probe ping;
    probe pong;
    probe asks;
    probe answers;
    int rounds = 0;
    asks.then = [&] {
        fill(pong, op_kind::write, byte_view(request, static_cast<std::size_t>(asks.result)));
        start(pong, server);
    };
    pong.then = [&] {
        fill(asks, op_kind::read, request);
        start(asks, server);
    };
    // The answer may be here before the thread that sent the request says so.
    const auto both = [&] {
        if (!ping.done() || !answers.done() || ++rounds == 3000) return;
        fill(ping, op_kind::write, bytes_of("pingping"));
        start(ping, client);
        fill(answers, op_kind::read, answer);
        start(answers, client);
    };
    ping.then = answers.then = both;
    pong.then();
    ping.completions = answers.completions = 1;
    rounds = -1;
    both();
    bench.until([&] { return rounds == 3000; });
    asks.then = nullptr;
    write(client, "end");
    bench.finish(asks);
}

TEST_P(streams, both_directions_of_a_pair_carry_megabytes) {
    auto [left, right] = *via().open_pair(socket_type::stream);
    constexpr std::size_t total = 8 << 20;
    struct side {
        std::size_t sent = 0;
        std::size_t got = 0;
        std::uint64_t sum = 0;
        probe writing;
        probe reading;
        std::vector<std::byte> out = std::vector<std::byte>(65536);
        std::vector<std::byte> in = std::vector<std::byte>(30000);
    };
    side sides[2];
    const handle* handles[] = {&left, &right};
    std::uint64_t expected = 0;
    for (int at = 0; at < 2; ++at) {
        side& own = sides[at];
        const handle& mine = *handles[at];
        for (std::size_t n = 0; n < own.out.size(); ++n)
            own.out[n] = static_cast<std::byte>(n * 7 % 251);
        own.writing.then = [&] {
            own.sent += static_cast<std::size_t>(own.writing.result);
            if (own.sent == total) return;
            const std::size_t from = own.sent % own.out.size();
            const std::size_t size = std::min(own.out.size() - from, total - own.sent);
            fill(own.writing, op_kind::write, byte_view(own.out).subspan(from, size));
            start(own.writing, mine);
        };
        own.reading.then = [&] {
            for (std::int64_t n = 0; n < own.reading.result; ++n)
                own.sum += (own.got + static_cast<std::size_t>(n)) *
                           static_cast<std::uint64_t>(own.in[static_cast<std::size_t>(n)]);
            own.got += static_cast<std::size_t>(own.reading.result);
            if (own.got == total) return;
            fill(own.reading, op_kind::read, own.in);
            start(own.reading, mine);
        };
        own.writing.result = own.reading.result = 0;
        own.writing.then();
        own.reading.then();
    }
    for (std::size_t n = 0; n < total; ++n)
        expected += n * static_cast<std::uint64_t>(sides[0].out[n % 65536]);
    bench.until([&] { return sides[0].got == total && sides[1].got == total; });
    bench.until([&] { return sides[0].sent == total && sides[1].sent == total; });
    EXPECT_EQ(sides[0].sum, expected);
    EXPECT_EQ(sides[1].sum, expected);
}

TEST_P(streams, write_to_a_closed_socket_is_an_error_and_no_signal) {
    auto [client, server] = bench.connected();
    server.close();
    std::int64_t outcome = 0;
    while ((outcome = write(client, "x")) >= 0) {
    }
    EXPECT_TRUE(outcome == -EPIPE || outcome == -ECONNRESET) << outcome;
    EXPECT_EQ(write(client, "x"), -EPIPE);
}

TEST_P(streams, reset_is_told_once) {
    auto [client, server] = bench.connected();
    probe reading;
    fill(reading, op_kind::read, bytes_);
    start(reading, server);
    EXPECT_TRUE(via().set_option(*client.record(), socket_option::linger_seconds, 0));
    client.close();
    EXPECT_EQ(bench.finish(reading), -ECONNRESET);
    EXPECT_EQ(read(server, bytes_), 0);
}

TEST_P(streams, pipes_have_an_end_and_a_broken_side) {
    ignore_broken_pipe_signal();
    auto [reader, writer] = *via().open_pipe();
    EXPECT_EQ(write(writer, "through"), 7);
    EXPECT_EQ(read(reader, bytes_), 7);
    probe reading;
    fill(reading, op_kind::read, bytes_);
    start(reading, reader);
    writer.close();
    EXPECT_EQ(bench.finish(reading), 0);
    auto [second_reader, second_writer] = *via().open_pipe();
    second_reader.close();
    EXPECT_EQ(write(second_writer, "x"), -EPIPE);
}

TEST_P(streams, operation_is_used_again_in_its_own_completion) {
    auto [client, server] = bench.connected();
    EXPECT_EQ(write(client, std::string(1000, 'x')), 1000);
    std::byte one[1];
    probe reading;
    int count = 0;
    fill(reading, op_kind::read, one);
    reading.then = [&] {
        if (++count < 1000) start(reading, server);
    };
    start(reading, server);
    bench.until([&] { return count == 1000; });
}

TEST_P(streams, listener_and_datagram_operations_on_a_stream_are_errors) {
    auto [client, server] = bench.connected();
    probe accepting;
    accepting.kind = op_kind::accept;
    EXPECT_EQ(perform(accepting, client), -EINVAL);
}

}  // namespace
}  // namespace upcall::test
