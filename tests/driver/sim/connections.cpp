// Making simulated connections: names, the queue of a listener, running out of descriptors.
#include <cerrno>
#include <deque>
#include <vector>

#include "driver/sim/sim_test.hpp"

namespace upcall::test {
namespace {

using namespace std::chrono_literals;

TEST(sim_connections, names_are_taken_once) {
    sim_world world;
    handle first = world.bench.listening();
    const address where = *world.via().local_address(*first.record());
    handle second = world.socket();
    EXPECT_EQ(world.via().bind(*second.record(), where).error(), std::errc::address_in_use);
    EXPECT_EQ(world.via().bind(*second.record(), address::ipv4({}, where.port())).error(),
              std::errc::address_in_use)
        << "every address includes that one";
    EXPECT_EQ(world.via().bind(*second.record(), address::ipv6({}, 1)).error(),
              std::errc::address_family_not_supported);
    world.bench.close(first);
    EXPECT_TRUE(world.via().bind(*second.record(), where));
    EXPECT_EQ(world.via().bind(*second.record(), where).error(), std::errc::invalid_argument);
}

TEST(sim_connections, shared_ports_spread_their_connections) {
    sim_world world;
    handle listeners[2];
    address where = address::loopback(0);
    for (handle& one : listeners) {
        one = world.socket();
        EXPECT_TRUE(world.via().set_option(*one.record(), socket_option::reuse_port, 1));
        EXPECT_TRUE(world.via().bind(*one.record(), where));
        EXPECT_TRUE(world.via().listen(*one.record(), 128));
        where = *world.via().local_address(*one.record());
    }
    std::vector<handle> clients;
    for (int at = 0; at < 40; ++at) {
        clients.push_back(world.socket());
        EXPECT_EQ(world.connect(clients.back(), where), 0);
    }
    for (handle& one : listeners) {
        bench_operation accepting;
        world.bench.accept(accepting, one);
        ASSERT_GE(world.bench.finish(accepting), 0) << "each got some of them";
        EXPECT_TRUE(world.kernel.close(static_cast<native_handle>(accepting.result)));
    }
}

TEST(sim_connections, unix_names_work_like_others) {
    sim_world world;
    const address where = *address::unix_path("/run/socket");
    handle nobody = world.socket(address_family::unix_path);
    EXPECT_EQ(world.connect(nobody, where), -ECONNREFUSED);
    auto [client, server] = world.bench.connected(where);
    EXPECT_EQ(*world.via().peer_address(*client.record()), where);
    EXPECT_EQ(world.via().peer_address(*server.record())->path(), "");
    handle ipv4 = world.socket();
    EXPECT_EQ(world.connect(ipv4, where), -EAFNOSUPPORT);
}

TEST(sim_connections, a_full_queue_makes_clients_try_again) {
    sim_options options;
    options.connect_attempts = 3;
    sim_world world(options);
    handle listener = world.bench.listening(address::loopback(0), 1);
    const address where = *world.via().local_address(*listener.record());
    handle first = world.socket();
    handle second = world.socket();
    EXPECT_EQ(world.connect(first, where), 0);
    bench_operation connecting;
    world.bench.connect(connecting, second, where);
    world.bench.pass(500ms);
    EXPECT_FALSE(connecting.done());
    bench_operation accepting;
    world.bench.accept(accepting, listener);
    EXPECT_GE(world.bench.finish(accepting), 0);
    EXPECT_EQ(world.bench.finish(connecting), 0);
    handle third = world.socket();
    const time_point before = world.kernel.now();
    EXPECT_EQ(world.connect(third, where), -ETIMEDOUT);
    EXPECT_GT(world.kernel.now(), before + 2s) << "1 s and 2 s between three attempts";
    EXPECT_TRUE(world.kernel.close(static_cast<native_handle>(accepting.result)));
}

TEST(sim_connections, lost_requests_come_again) {
    sim_options options;
    options.faults.lost_connect = 500'000;
    for (std::uint64_t seed = 1; seed < 20; ++seed) {
        options.seed = seed;
        sim_world world(options);
        handle listener = world.bench.listening();
        handle client = world.socket();
        const auto outcome = world.connect(client, *world.via().local_address(*listener.record()));
        EXPECT_TRUE(outcome == 0 || outcome == -ETIMEDOUT) << outcome;
    }
}

TEST(sim_connections, closing_a_listener_resets_who_waits_in_it) {
    sim_world world;
    handle listener = world.bench.listening();
    handle client = world.socket();
    EXPECT_EQ(world.connect(client, *world.via().local_address(*listener.record())), 0);
    world.bench.close(listener);
    std::int64_t end = 1;
    world.read_all(client, &end);
    EXPECT_EQ(end, -ECONNRESET);
}

TEST(sim_connections, out_of_descriptors_the_connection_waits) {
    sim_options options;
    options.descriptors_max = 3;
    sim_world world(options);
    handle listener = world.bench.listening();
    const address where = *world.via().local_address(*listener.record());
    handle client = world.socket();
    EXPECT_EQ(world.connect(client, where), 0);
    handle spare = world.socket();
    bench_operation accepting;
    world.bench.accept(accepting, listener);
    EXPECT_EQ(world.bench.finish(accepting), -EMFILE);
    EXPECT_EQ(world.via().open_socket(address_family::ipv4, socket_type::stream).error(),
              std::errc::too_many_files_open);
    world.bench.close(spare);
    world.bench.accept(accepting, listener);
    ASSERT_GE(world.bench.finish(accepting), 0);
    handle server = *world.via().adopt_accepted(static_cast<native_handle>(accepting.result));
    world.write_all(server, "hello");
    std::byte one{};
    EXPECT_EQ(world.read(client, {&one, 1}), 1);
}

TEST(sim_connections, aborted_ones_are_told_when_asked_for) {
    sim_options options;
    options.faults.aborted_accept = 1'000'000;
    sim_world world(options);
    handle listener = world.bench.listening();
    handle client = world.socket();
    EXPECT_EQ(world.connect(client, *world.via().local_address(*listener.record())), 0);
    bench_operation accepting;
    world.bench.accept(accepting, listener);
    EXPECT_EQ(world.bench.finish(accepting), -ECONNABORTED);
    std::int64_t end = 1;
    world.read_all(client, &end);
    EXPECT_EQ(end, -ECONNRESET);
}

TEST(sim_connections, wrong_uses_are_errors) {
    sim_world world;
    auto [client, server] = world.bench.connected();
    const address where = *world.via().peer_address(*client.record());
    EXPECT_EQ(world.connect(client, where), -EISCONN);
    handle fresh = world.socket();
    std::byte one{};
    EXPECT_EQ(world.read(fresh, {&one, 1}), -ENOTCONN);
    EXPECT_EQ(world.write(fresh, "x"), -ENOTCONN);
    EXPECT_EQ(world.via().peer_address(*fresh.record()).error(), std::errc::not_connected);
    bench_operation accepting;
    world.bench.accept(accepting, fresh);
    EXPECT_EQ(world.bench.finish(accepting), -EINVAL);
    handle listener = world.bench.listening();
    EXPECT_EQ(world.read(listener, {&one, 1}), -EINVAL);
    EXPECT_EQ(world.via().open_socket(address_family::ipv4, socket_type::sequential).error(),
              errc::unsupported);
}

TEST(sim_connections, a_number_is_used_again_only_after_it_was_closed) {
    sim_world world;
    handle first = world.socket();
    const native_handle number = first.record()->native;
    handle second = world.socket();
    EXPECT_NE(second.record()->native, number);
    world.bench.close(first);
    handle third = world.socket();
    EXPECT_EQ(third.record()->native, number);
    const auto released = world.via().release(third);
    EXPECT_EQ(*released, number);
    EXPECT_EQ(world.kernel.open_descriptors(), 2U);
    handle again = *world.via().adopt(number, handle_kind::stream);
    EXPECT_EQ(world.via().adopt(99, handle_kind::stream).error(), std::errc::bad_file_descriptor);
    EXPECT_FALSE(world.kernel.close(99));
}

}  // namespace
}  // namespace upcall::test
