// What cancelling means for operations that are done in parts, and for many at once. The races of
// cancelling against completing are in races.cpp.
#include <cerrno>
#include <deque>
#include <string>

#include "driver/sim/sim_test.hpp"

namespace upcall::test {
namespace {

using namespace std::chrono_literals;

/// Time between the cause of a completion and the cancellation, drawn so that either may be first.
void pass_some(sim_world& world) {
    const auto most = 300U;
    world.bench.pass(std::chrono::microseconds(world.kernel.chosen().below(most)));
}

TEST(sim_cancels, of_a_whole_write_tell_how_much_was_taken) {
    for (std::uint64_t seed = 1; seed < seeds_tried; ++seed) {
        sim_world world(seeded(seed));
        auto [client, server] = world.bench.connected();
        EXPECT_TRUE(world.via().set_option(*client.record(), socket_option::send_buffer, 1000));
        const std::string sent(5000, 'x');
        bench_operation writing;
        world.bench.write(writing, client, bytes_of(sent), op_whole);
        world.bench.pass(1ms);
        writing.request_cancel(cancel_cause::cancelled);
        EXPECT_EQ(world.bench.finish(writing), 1000);
        world.bench.close(client);
        EXPECT_EQ(world.read_all(server).size(), 1000U);
    }
}

TEST(sim_cancels, of_a_source_bring_what_it_has_first) {
    for (std::uint64_t seed = 1; seed < seeds_tried; ++seed) {
        sim_options options = seeded(seed);
        options.end_source = 0;
        sim_world world(options);
        auto [client, server] = world.bench.connected();
        bench_operation receiving;
        world.bench.receive(receiving, server, op_multishot);
        const std::string sent(3000, 'x');
        world.write_all(client, sent);
        pass_some(world);
        receiving.request_cancel(cancel_cause::cancelled);
        EXPECT_EQ(world.bench.finish(receiving), -ECANCELED);
        std::string got;
        for (const auto& value : receiving.values)
            got += world.bench.take(value.number, value.leased);
        world.bench.close(client);
        got += world.read_all(server);
        EXPECT_EQ(got, sent);
        EXPECT_EQ(world.bench.buffers().outstanding(), 0U);
    }
}

TEST(sim_cancels, of_a_thousand_operations_end_each_once) {
    sim_world world;
    auto [client, server] = world.bench.connected();
    std::deque<bench_operation> all(1000);
    std::byte buffer[1000];
    std::size_t at = 0;
    for (bench_operation& one : all) world.bench.read(one, server, {&buffer[at++], 1});
    world.bench.root().cancel();
    for (bench_operation& one : all) EXPECT_EQ(world.bench.finish(one), -ECANCELED);
}

}  // namespace
}  // namespace upcall::test
