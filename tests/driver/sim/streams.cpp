// Simulated streams behave as real ones may, whatever the seed: bytes in order and then the end,
// bounded windows, resets told once.
#include <cerrno>
#include <deque>
#include <set>
#include <string>
#include <vector>

#include "driver/sim/sim_test.hpp"

namespace upcall::test {
namespace {

using namespace std::chrono_literals;

class sim_streams : public testing::TestWithParam<std::uint64_t> {
  protected:
    sim_world world{seeded(GetParam())};
    driver_bench& bench = world.bench;
};
INSTANTIATE_TEST_SUITE_P(seed, sim_streams, testing::Range<std::uint64_t>(1, 13));

TEST_P(sim_streams, the_end_comes_after_the_data_and_stays) {
    auto [client, server] = world.bench.connected();
    world.write_all(client, std::string(5000, 'x'));
    bench.close(client);
    std::int64_t end = -1;
    EXPECT_EQ(world.read_all(server, &end), std::string(5000, 'x'));
    EXPECT_EQ(end, 0);
    std::byte one{};
    EXPECT_EQ(world.read(server, {&one, 1}), 0);
}

TEST_P(sim_streams, half_closed_the_other_half_goes_on) {
    auto [client, server] = bench.connected();
    EXPECT_TRUE(world.via().shut_down(*client.record(), shut::writing));
    EXPECT_EQ(world.write(client, "x"), -EPIPE);
    EXPECT_EQ(world.read_all(server), "");
    world.write_all(server, "still here");
    EXPECT_TRUE(world.via().shut_down(*server.record(), shut::writing));
    EXPECT_EQ(world.read_all(client), "still here");
}

TEST_P(sim_streams, closing_with_unread_bytes_resets_once) {
    auto [client, server] = bench.connected();
    world.write_all(client, "never read");
    bench.pass(1ms);
    bench.close(server);
    std::int64_t end = 1;
    EXPECT_EQ(world.read_all(client, &end), "");
    EXPECT_EQ(end, -ECONNRESET);
    std::byte one{};
    EXPECT_EQ(world.read(client, {&one, 1}), 0);
    EXPECT_EQ(world.write(client, "x"), -EPIPE);
}

TEST_P(sim_streams, closing_with_a_linger_of_zero_resets) {
    auto [client, server] = bench.connected();
    EXPECT_TRUE(world.via().set_option(*client.record(), socket_option::linger_seconds, 0));
    bench.close(client);
    std::int64_t end = 1;
    world.read_all(server, &end);
    EXPECT_EQ(end, -ECONNRESET);
}

TEST_P(sim_streams, a_reset_behind_the_end_is_for_writers_only) {
    auto [client, server] = bench.connected();
    EXPECT_TRUE(world.via().shut_down(*client.record(), shut::writing));
    EXPECT_TRUE(world.via().set_option(*client.record(), socket_option::linger_seconds, 0));
    bench.close(client);
    bench.pass(1ms);
    std::byte one{};
    EXPECT_EQ(world.read(server, {&one, 1}), 0);
    EXPECT_EQ(world.write(server, "x"), -EPIPE);
    EXPECT_EQ(world.read(server, {&one, 1}), 0);
}

TEST_P(sim_streams, writing_to_a_peer_that_is_gone_fails_in_the_end) {
    auto [client, server] = bench.connected();
    bench.close(server);
    std::int64_t outcome = 0;
    int written = 0;
    while ((outcome = world.write(client, "x")) > 0) {
        ASSERT_LT(++written, 1000);
        bench.pass(50us);
    }
    EXPECT_EQ(outcome, -EPIPE) << "the end of the stream came first, then the reset";
}

TEST_P(sim_streams, a_writer_waits_for_its_reader) {
    auto [client, server] = bench.connected();
    EXPECT_TRUE(world.via().set_option(*client.record(), socket_option::send_buffer, 1000));
    const std::string sent(10'000, 'y');
    bench_operation writing;
    bench.write(writing, client, bytes_of(sent), op_whole);
    bench.pass(1s);
    EXPECT_FALSE(writing.done()) << "one window is all that fits";
    std::string got;
    std::byte buffer[300];
    while (got.size() < sent.size()) {
        const auto count = world.read(server, buffer);
        ASSERT_GT(count, 0);
        got += text_of(byte_view(buffer).first(static_cast<std::size_t>(count)));
    }
    EXPECT_EQ(bench.finish(writing), 10'000);
    EXPECT_EQ(got, sent);
}

TEST_P(sim_streams, reads_and_writes_complete_in_the_order_of_their_start) {
    auto [client, server] = bench.connected();
    std::deque<bench_operation> reads(8);
    std::deque<bench_operation> writes(8);
    std::vector<std::vector<std::byte>> buffers(8, std::vector<std::byte>(4));
    std::string expected;
    std::deque<std::string> texts;
    for (std::size_t at = 0; at < 8; ++at) bench.read(reads[at], server, buffers[at]);
    for (std::size_t at = 0; at < 8; ++at) {
        texts.push_back(std::string(4, static_cast<char>('a' + at)));
        expected += texts.back();
        bench.write(writes[at], client, bytes_of(texts.back()));
    }
    std::size_t reads_done = 0;
    std::size_t writes_done = 0;
    const auto check_order = [&](const std::deque<bench_operation>& all, std::size_t& done) {
        while (done < all.size() && all[done].done()) ++done;
        for (std::size_t at = done; at < all.size(); ++at) EXPECT_FALSE(all[at].done());
    };
    std::size_t started = 8;
    std::string got;
    bench.until([&] {
        const std::size_t before = reads_done;
        check_order(reads, reads_done);
        check_order(writes, writes_done);
        for (std::size_t at = before; at < reads_done; ++at)
            got +=
                text_of(byte_view(buffers[at]).first(static_cast<std::size_t>(reads[at].result)));
        // Short reads leave some for more reads behind.
        while (started - reads_done < 4 && got.size() < expected.size()) {
            buffers.emplace_back(4);
            bench.read(reads.emplace_back(), server, buffers.back());
            ++started;
        }
        return got.size() == expected.size();
    });
    EXPECT_EQ(got, expected);
    bench.until([&] {
        check_order(writes, writes_done);
        return writes_done == writes.size();
    });
    bench.close(server);
}

TEST_P(sim_streams, pipes_go_one_way) {
    auto [reader, writer] = *world.via().open_pipe();
    std::byte buffer[8];
    EXPECT_EQ(world.write(reader, "x"), -EBADF);
    EXPECT_EQ(world.read(writer, buffer), -EBADF);
    world.write_all(writer, "through");
    bench.close(writer);
    EXPECT_EQ(world.read_all(reader), "through");
    auto [other_reader, other_writer] = *world.via().open_pipe();
    world.write_all(other_writer, "unread");
    bench.close(other_reader);
    EXPECT_EQ(world.write(other_writer, "x"), -EPIPE);
    EXPECT_EQ(world.write(other_writer, "x"), -EPIPE);
}

TEST_P(sim_streams, small_writes_to_pipes_are_never_parted) {
    auto [reader, writer] = *world.via().open_pipe();
    // Leaves room for half of what comes next.
    const std::string most(sim_options().pipe_capacity - 50, 'a');
    world.write_all(writer, most);
    bench_operation waiting;
    const std::string small(100, 'b');
    bench.write(waiting, writer, bytes_of(small));
    bench.pass(1s);
    EXPECT_FALSE(waiting.done());
    std::byte buffer[50];
    EXPECT_EQ(world.read(reader, buffer), 50);
    EXPECT_EQ(bench.finish(waiting), 100);
    bench.close(writer);
    EXPECT_EQ(world.read_all(reader), most.substr(50) + small);
}

TEST_P(sim_streams, pairs_go_both_ways) {
    auto [one, other] = *world.via().open_pair(socket_type::stream);
    world.write_all(one, "to");
    world.write_all(other, "fro");
    bench.close(one);
    EXPECT_EQ(world.read_all(other), "to");
}

TEST_P(sim_streams, readiness_is_told) {
    auto [client, server] = bench.connected();
    bench_operation polling;
    const auto poll = [&](std::uint32_t bits) {
        polling.kind = op_kind::poll;
        polling.target = server.record();
        polling.size = bits;
        polling.completions = 0;
        bench.start(polling);
    };
    poll(ready_to_read | ready_to_write);
    EXPECT_EQ(bench.finish(polling), ready_to_write);
    poll(ready_to_read);
    bench.pass(1s);
    EXPECT_FALSE(polling.done());
    world.write_all(client, "x");
    EXPECT_EQ(bench.finish(polling), ready_to_read);
    std::byte buffer[8];
    EXPECT_EQ(world.read(server, buffer), 1);
    poll(ready_to_read);
    polling.request_cancel(cancel_cause::cancelled);
    EXPECT_EQ(bench.finish(polling), -ECANCELED);
}

TEST(sim_streams, are_cut_differently_by_different_seeds) {
    std::set<std::string> ways;
    bool at_once = false;
    bool deferred = false;
    for (std::uint64_t seed = 1; seed < seeds_tried; ++seed) {
        sim_world world(seeded(seed));
        auto [client, server] = world.bench.connected();
        world.write_all(client, std::string(1000, 'x'));
        std::string way;
        std::byte buffer[2000];
        for (std::size_t got = 0; got < 1000;) {
            bench_operation reading;
            world.bench.read(reading, server, buffer);
            got += static_cast<std::size_t>(world.bench.finish(reading));
            way += std::to_string(reading.result) + " ";
            (reading.at_once ? at_once : deferred) = true;
        }
        ways.insert(way);
    }
    EXPECT_TRUE(ways.contains("1000 ")) << "whole";
    EXPECT_GT(ways.size(), 5U) << "and in pieces";
    EXPECT_TRUE(at_once);
    EXPECT_TRUE(deferred);
}

TEST(sim_streams, have_faults_only_when_asked) {
    sim_options options;
    options.segment = 0;
    options.faults.short_read = 1'000'000;
    options.faults.short_write = 1'000'000;
    sim_world world(options);
    auto [client, server] = world.bench.connected();
    EXPECT_LT(world.write(client, std::string(1000, 'x')), 1000);
    world.write_all(client, std::string(1000, 'x'));
    world.bench.pass(1ms);
    std::byte buffer[500];
    EXPECT_LT(world.read(server, buffer), 500);

    sim_options resets;
    resets.faults.reset = 1'000'000;
    sim_world rough(resets);
    auto [one, other] = rough.bench.connected();
    EXPECT_EQ(rough.write(one, "x"), 1);
    EXPECT_EQ(rough.read(other, buffer), -ECONNRESET);
    EXPECT_EQ(rough.read(one, buffer), -ECONNRESET);
}

}  // namespace
}  // namespace upcall::test
