// Connect, accept, read, write, timer, wake, file read, cancel: each on every driver that tests
// below the loop can make.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "support/bench_drivers.hpp"

namespace upcall::test {
namespace {

class eight_kinds : public testing::TestWithParam<bench_driver> {
  protected:
    driver_bench bench{GetParam().make};
};

TEST_P(eight_kinds, connect_and_accept) {
    handle listener = bench.listening();
    const address where = *bench.via().local_address(*listener.record());
    EXPECT_NE(where.port(), 0);
    handle client = *bench.via().open_socket(address_family::ipv4, socket_type::stream);
    bench_operation accepting;
    bench_operation connecting;
    bench.accept(accepting, listener);
    bench.connect(connecting, client, where);
    EXPECT_EQ(bench.finish(connecting), 0);
    ASSERT_GE(bench.finish(accepting), 0);
    handle server = *bench.via().adopt_accepted(static_cast<native_handle>(accepting.result));
    EXPECT_EQ(bench.via().peer_address(*client.record()), where);
    EXPECT_EQ(bench.via().local_address(*server.record()), where);
    EXPECT_EQ(bench.via().peer_address(*server.record()),
              bench.via().local_address(*client.record()));
}

TEST_P(eight_kinds, connect_refused) {
    address nobody;
    {
        handle listener = bench.listening();
        nobody = *bench.via().local_address(*listener.record());
        bench.close(listener);
    }
    handle client = *bench.via().open_socket(address_family::ipv4, socket_type::stream);
    bench_operation connecting;
    bench.connect(connecting, client, nobody);
    bench.finish(connecting);
    EXPECT_EQ(connecting.error(), std::errc::connection_refused);
}

TEST_P(eight_kinds, accept_before_and_after_the_connection) {
    handle listener = bench.listening();
    const address where = *bench.via().local_address(*listener.record());
    handle first = *bench.via().open_socket(address_family::ipv4, socket_type::stream);
    bench_operation connecting;
    bench.connect(connecting, first, where);
    EXPECT_EQ(bench.finish(connecting), 0);
    bench_operation late;
    bench.accept(late, listener);
    ASSERT_GE(bench.finish(late), 0);
    handle server = *bench.via().adopt_accepted(static_cast<native_handle>(late.result));
}

TEST_P(eight_kinds, an_accept_source_gives_every_connection_once) {
    constexpr int count = 20;
    handle listener = bench.listening();
    const address where = *bench.via().local_address(*listener.record());
    std::vector<handle> clients;
    std::vector<handle> servers;
    bench_operation accepting;
    bench.accept(accepting, listener, op_multishot);
    const auto collect = [&] {
        for (const auto& value : accepting.values)
            servers.push_back(
                *bench.via().adopt_accepted(static_cast<native_handle>(value.number)));
        accepting.values.clear();
        if (!accepting.done()) return;
        ASSERT_GE(accepting.result, 0);  // a source may end with any value
        servers.push_back(
            *bench.via().adopt_accepted(static_cast<native_handle>(accepting.result)));
        bench.accept(accepting, listener, op_multishot);
    };
    for (int at = 0; at < count; ++at) {
        clients.push_back(*bench.via().open_socket(address_family::ipv4, socket_type::stream));
        bench_operation connecting;
        bench.connect(connecting, clients.back(), where);
        EXPECT_EQ(bench.finish(connecting), 0);
        collect();
    }
    bench.until([&] {
        collect();
        return servers.size() == count;
    });
    accepting.request_cancel(cancel_cause::cancelled);
    bench.finish(accepting);
    EXPECT_EQ(accepting.error(), errc::cancelled);
    EXPECT_TRUE(accepting.values.empty());
}

TEST_P(eight_kinds, read_and_write) {
    auto [client, server] = bench.connected();
    std::vector<std::byte> buffer(64);
    bench_operation reading;
    bench_operation writing;
    bench.read(reading, server, buffer);
    EXPECT_FALSE(reading.done());
    bench.write(writing, client, bytes_of("hello"));
    EXPECT_EQ(bench.finish(writing), 5);
    std::string got;
    for (;;) {
        const auto count = bench.finish(reading);
        ASSERT_GT(count, 0);
        got += text_of(byte_view(buffer).first(static_cast<std::size_t>(count)));
        if (got.size() == 5) break;
        bench.read(reading, server, buffer);
    }
    EXPECT_EQ(got, "hello");
    bench.close(client);
    for (int again = 0; again < 2; ++again) {
        bench.read(reading, server, buffer);
        EXPECT_EQ(bench.finish(reading), 0) << "the end of the stream";
    }
}

TEST_P(eight_kinds, a_read_of_nothing_is_not_the_end) {
    auto [client, server] = bench.connected();
    bench_operation reading;
    bench.read(reading, server, {});
    EXPECT_EQ(bench.finish(reading), 0);
    bench_operation writing;
    bench.write(writing, client, bytes_of("x"));
    EXPECT_EQ(bench.finish(writing), 1);
    std::byte one{};
    bench.read(reading, server, {&one, 1});
    EXPECT_EQ(bench.finish(reading), 1);
}

TEST_P(eight_kinds, vectored_transfers_keep_the_order_of_their_slices) {
    auto [client, server] = bench.connected();
    io_slice out[] = {bytes_of("one "), bytes_of(""), bytes_of("two "), bytes_of("three")};
    bench_operation writing;
    bench.start_vectored(writing, op_kind::write, client, out);
    EXPECT_EQ(bench.finish(writing), 13);
    std::string got;
    while (got.size() < 13) {
        std::byte first[3];
        std::byte second[64];
        io_slice in[] = {byte_span(first), byte_span(second)};
        bench_operation reading;
        bench.start_vectored(reading, op_kind::read, server, in);
        const auto count = static_cast<std::size_t>(bench.finish(reading));
        ASSERT_GT(count, 0U);
        got += text_of(byte_view(first).first(std::min<std::size_t>(count, 3)));
        if (count > 3) got += text_of(byte_view(second).first(count - 3));
    }
    EXPECT_EQ(got, "one two three");
}

TEST_P(eight_kinds, received_bytes_come_in_leased_buffers) {
    auto [client, server] = bench.connected();
    bench_operation receiving;
    bench.receive(receiving, server);
    bench_operation writing;
    bench.write(writing, client, bytes_of("leased"));
    EXPECT_EQ(bench.finish(writing), 6);
    std::string got;
    for (;;) {
        const auto count = bench.finish(receiving);
        ASSERT_GT(count, 0);
        got += bench.take(count, receiving.leased);
        if (got.size() == 6) break;
        bench.receive(receiving, server);
    }
    EXPECT_EQ(got, "leased");
    bench.close(client);
    bench.receive(receiving, server);
    EXPECT_EQ(bench.finish(receiving), 0);
    EXPECT_EQ(bench.buffers().outstanding(), 0U);
}

TEST_P(eight_kinds, a_receive_source_gives_every_byte_once_and_then_the_end) {
    auto [client, server] = bench.connected();
    std::string sent;
    for (int at = 0; at < 2000; ++at) sent += std::to_string(at) + " ";
    std::string got;
    bench_operation receiving;
    bench.receive(receiving, server, op_multishot);
    bench_operation writing;
    bench.write(writing, client, bytes_of(sent), op_whole);
    std::size_t written = 0;
    bool ended = false;
    bench.until([&] {
        for (const auto& value : receiving.values) got += bench.take(value.number, value.leased);
        receiving.values.clear();
        if (receiving.done()) {
            EXPECT_GE(receiving.result, 0);
            if (receiving.result > 0) got += bench.take(receiving.result, receiving.leased);
            ended = receiving.result == 0;
            if (!ended) bench.receive(receiving, server, op_multishot);
        }
        if (writing.done() && written < sent.size()) {
            EXPECT_GT(writing.result, 0);
            written += static_cast<std::size_t>(writing.result);
            if (written < sent.size())
                bench.write(writing, client, bytes_of(sent).subspan(written), op_whole);
            else {
                EXPECT_TRUE(bench.via().shut_down(*client.record(), shut::writing));
            }
        }
        return ended;
    });
    EXPECT_EQ(got, sent);
    EXPECT_EQ(bench.buffers().outstanding(), 0U);
}

TEST_P(eight_kinds, a_poll_ends_at_its_deadline) {
    const time_point deadline = bench.via().now() + std::chrono::milliseconds(20);
    int turns = 0;
    while (bench.via().now() < deadline) {
        bench.turn(deadline);
        ++turns;
    }
    EXPECT_LT(turns, 100) << "waiting, not spinning";
}

TEST_P(eight_kinds, an_idle_receive_does_not_spin) {
    auto [client, server] = bench.connected();
    bench_operation receiving;
    bench.receive(receiving, server, op_multishot);
    const time_point deadline = bench.via().now() + std::chrono::milliseconds(20);
    int turns = 0;
    while (bench.via().now() < deadline) {
        bench.turn(deadline);
        ++turns;
    }
    EXPECT_LT(turns, 100);
    EXPECT_EQ(bench.buffers().outstanding(), 0U) << "an idle peer owns no buffer";
    receiving.request_cancel(cancel_cause::cancelled);
    EXPECT_EQ(bench.finish(receiving), -ECANCELED);
}

TEST_P(eight_kinds, receiving_waits_for_a_buffer_when_all_are_leased) {
    constexpr std::size_t buffers = 3;
    driver_bench poor(GetParam().make, {.small_count = 2, .large_count = 1});
    auto [client, server] = poor.connected();
    std::string sent;
    for (int at = 0; sent.size() < 300'000; ++at) sent += std::to_string(at) + " ";
    std::size_t written = 0;
    std::vector<bench_operation::value> held;
    bench_operation receiving;
    bench_operation writing;
    const auto write_on = [&] {
        if (writing.state != op_state::idle || written == sent.size()) return;
        if (writing.done()) written += static_cast<std::size_t>(writing.result);
        if (written < sent.size())
            poor.write(writing, client, bytes_of(sent).subspan(written), op_whole);
    };
    const auto collect = [&] {
        write_on();
        for (const auto& value : receiving.values) held.push_back(value);
        receiving.values.clear();
        if (!receiving.done()) return;
        ASSERT_GT(receiving.result, 0);
        held.push_back({receiving.result, receiving.leased});
        poor.receive(receiving, server, op_multishot);
    };
    poor.receive(receiving, server, op_multishot);
    std::string got;
    while (got.size() < sent.size()) {
        poor.until([&] {
            collect();
            return !held.empty();
        });
        // What more there is has to wait for these to come back.
        for (int turn = 0; turn < 8; ++turn) {
            poor.turn();
            collect();
        }
        EXPECT_LE(held.size(), buffers);
        for (const auto& value : std::exchange(held, {}))
            got += poor.take(value.number, value.leased);
    }
    EXPECT_EQ(got, sent);
    receiving.request_cancel(cancel_cause::cancelled);
    EXPECT_EQ(poor.finish(receiving), -ECANCELED);
    poor.until([&] { return writing.state == op_state::idle; });
    EXPECT_EQ(poor.buffers().outstanding(), 0U);
}

TEST_P(eight_kinds, a_wake_ends_a_poll_and_is_not_lost) {
    bench.via().wake();
    bench.via().poll(never);
    std::thread other([&] { bench.via().wake(); });
    bench.via().poll(never);
    other.join();
}

TEST_P(eight_kinds, what_another_thread_finishes_is_completed_here) {
    bench_operation op;
    op.via = &bench.via();
    op.begin(bench.root());
    std::thread other([&] {
        op.result = 42;
        bench.via().finish_elsewhere(op);
    });
    EXPECT_EQ(bench.finish(op), 42);
    other.join();
}

TEST_P(eight_kinds, files_are_written_and_read) {
    const std::string path = bench.scratch("eight_kinds");
    handle file = bench.open(path, open_read | open_write | open_create | open_truncate);
    ASSERT_TRUE(file);
    bench_operation op;
    bench.file_write(op, file, 0, bytes_of("0123456789"));
    EXPECT_EQ(bench.finish(op), 10);
    bench.file_write(op, file, 10, bytes_of("abc"));
    EXPECT_EQ(bench.finish(op), 3);
    std::vector<std::byte> buffer(8);
    bench.file_read(op, file, 5, buffer);
    EXPECT_EQ(bench.finish(op), 8);
    EXPECT_EQ(text_of(buffer), "56789abc");
    bench.file_read(op, file, 10, buffer);
    EXPECT_EQ(bench.finish(op), 3) << "short at the end of the file";
    bench.file_read(op, file, 13, buffer);
    EXPECT_EQ(bench.finish(op), 0);
    bench.close(file);
    file_call_arguments asked;
    asked.what = file_call::remove_file;
    asked.path = path.c_str();
    EXPECT_EQ(bench.call(asked), 0);
    EXPECT_EQ(bench.call(asked), -ENOENT);
}

TEST_P(eight_kinds, cancelled_means_that_nothing_happened) {
    auto [client, server] = bench.connected();
    std::byte buffer[16];
    bench_operation reading;
    bench.read(reading, server, buffer);
    bench.turn();
    reading.request_cancel(cancel_cause::cancelled);
    bench.finish(reading);
    EXPECT_EQ(reading.error(), errc::cancelled);
    bench_operation writing;
    bench.write(writing, client, bytes_of("still here"));
    EXPECT_EQ(bench.finish(writing), 10);
    std::string got;
    while (got.size() < 10) {
        bench.read(reading, server, buffer);
        const auto count = bench.finish(reading);
        ASSERT_GT(count, 0);
        got += text_of(byte_view(buffer).first(static_cast<std::size_t>(count)));
    }
    EXPECT_EQ(got, "still here");

    handle listener = bench.listening();
    bench_operation accepting;
    bench.accept(accepting, listener);
    accepting.request_cancel(cancel_cause::deadline);
    bench.finish(accepting);
    EXPECT_EQ(accepting.error(), errc::deadline_exceeded);
}

TEST_P(eight_kinds, shutting_reading_ends_the_reads_that_wait) {
    auto [client, server] = bench.connected();
    std::byte buffer[16];
    bench_operation reading;
    bench.read(reading, server, buffer);
    bench.turn();
    EXPECT_FALSE(reading.done());
    EXPECT_TRUE(bench.via().shut_down(*server.record(), shut::reading));
    EXPECT_EQ(bench.finish(reading), 0);
    bench_operation receiving;
    bench.receive(receiving, server);
    EXPECT_EQ(bench.finish(receiving), 0);
    auto [other_client, other_server] = bench.connected();
    bench.receive(receiving, other_server, op_multishot);
    bench.turn();
    EXPECT_TRUE(bench.via().shut_down(*other_server.record(), shut::reading));
    EXPECT_EQ(bench.finish(receiving), 0);
    EXPECT_EQ(bench.buffers().outstanding(), 0U);
}

TEST_P(eight_kinds, closing_ends_what_is_in_flight) {
    auto [client, server] = bench.connected();
    std::byte buffer[16];
    bench_operation reading;
    bench_operation receiving;
    bench.read(reading, server, buffer);
    bench.receive(receiving, server);
    EXPECT_EQ(bench.close(server), 0);
    // Where closing is immediate they are ready to run by now.
    bench.finish(reading);
    bench.finish(receiving);
    EXPECT_EQ(reading.error(), errc::closed);
    EXPECT_EQ(receiving.error(), errc::closed);
    EXPECT_EQ(bench.buffers().outstanding(), 0U);
}

std::vector<bench_driver> seeds() {
    std::vector<bench_driver> all;
    for (std::uint64_t seed = 2; seed < 12; ++seed) {
        all.push_back(simulated({.seed = seed}));
        all.back().name += '_';
        all.back().name += std::to_string(seed);
    }
    return all;
}

INSTANTIATE_TEST_SUITE_P(seed, eight_kinds, testing::ValuesIn(seeds()),
                         [](const auto& one) { return one.param.name; });
INSTANTIATE_TEST_SUITE_P(driver, eight_kinds, testing::ValuesIn(bench_drivers()),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace upcall::test
