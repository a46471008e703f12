// Datagrams between hosts: whole or not at all; lost, doubled and overtaken when asked for.
#include <algorithm>
#include <array>
#include <vector>

#include "sim_test.hpp"

namespace upcall::sim {
namespace {

constexpr int count = 50;

/// What a host receives of the `count` datagrams "0", "1", … that another sends it.
struct heard {
    std::vector<int> numbers;
    address from;
};

report send_numbers(world& w, heard& what) {
    w.service("receiver", [&]() -> task<> {
        auto here = udp::socket::bind("0.0.0.0:7000").value();
        std::array<std::byte, 100> room;
        while (auto got = co_await here.receive(room)) {
            what.from = got->peer;
            what.numbers.push_back(
                std::stoi(std::string(text_of(byte_view(room).first(got->size)))));
        }
    });
    w.host("sender", [&]() -> task<> {
        auto here = udp::socket::bind("0.0.0.0:0").value();
        for (int at = 0; at < count; ++at) {
            const std::string text = std::to_string(at);
            const auto sent = co_await here.send_to(bytes_of(text), w.address_of("receiver", 7000));
            EXPECT_TRUE(sent);
        }
        co_await sleep(1min);
    });
    return w.run();
}

TEST(sim_datagrams, arrive_once_and_in_order_if_nothing_else_is_asked_for) {
    const survey seen = try_seeds(
        [](world& w) {
            heard what;
            report run = send_numbers(w, what);
            run.expect(what.numbers.size() == count, "not all came");
            run.expect(std::ranges::is_sorted(what.numbers), "overtaken");
            run.expect(what.from.to_string().starts_with("10.0.0.2:"), "from elsewhere");
            return run;
        },
        {.count = 20});
    EXPECT_FALSE(seen.failure) << seen.failure->text();
}

sim_faults faults_of(std::uint32_t sim_faults::* which) {
    sim_faults some;
    some.*which = 300'000;
    return some;
}

TEST(sim_datagrams, are_lost_doubled_and_overtaken_when_asked_to) {
    const auto numbers_with = [](sim_faults faults) {
        world_options options;
        options.kernel.faults = faults;
        world w(options);
        heard what;
        const report run = send_numbers(w, what);
        EXPECT_TRUE(run.ok()) << run.text();
        return what.numbers;
    };
    const auto lost = numbers_with(faults_of(&sim_faults::lost_datagram));
    EXPECT_LT(lost.size(), std::size_t{count});
    EXPECT_GT(lost.size(), std::size_t{count / 2});
    EXPECT_TRUE(std::ranges::is_sorted(lost));
    const auto doubled = numbers_with(faults_of(&sim_faults::doubled_datagram));
    EXPECT_GT(doubled.size(), std::size_t{count});
    EXPECT_TRUE(std::ranges::is_sorted(doubled));
    auto late = numbers_with(faults_of(&sim_faults::late_datagram));
    EXPECT_EQ(late.size(), std::size_t{count});
    EXPECT_FALSE(std::ranges::is_sorted(late));
    std::ranges::sort(late);
    EXPECT_EQ(std::ranges::adjacent_find(late), late.end());
}

TEST(sim_datagrams, to_nobody_are_refused_to_those_who_are_connected) {
    world w(7);
    std::error_code connected;
    bool told = true;
    w.host("other", []() -> task<> { co_await sleep(1h); });
    w.host("one", [&]() -> task<> {
        auto here = udp::socket::open(address_family::ipv4).value();
        const auto done = co_await here.connect(w.address_of("other", 7000));
        EXPECT_TRUE(done);
        const auto sent = co_await here.send(bytes_of("hello"));
        EXPECT_TRUE(sent);
        std::array<std::byte, 10> room;
        const auto got = co_await here.receive(room);
        if (!got) connected = got.error();
        auto unconnected = udp::socket::bind("0.0.0.0:0").value();
        co_await unconnected.send_to(bytes_of("hello"), w.address_of("other", 7000));
        const auto nothing = co_await timeout(1min, unconnected.receive(room));
        told = nothing || nothing.error() != errc::deadline_exceeded;
    });
    const report seen = w.run();
    EXPECT_TRUE(seen.ok()) << seen.text();
    EXPECT_EQ(connected, std::errc::connection_refused);
    EXPECT_FALSE(told);
}

TEST(sim_datagrams, say_how_long_they_were_and_are_dropped_without_room) {
    world w(7);
    bool truncated = false;
    std::size_t size = 0;
    int came = 0;
    w.host("receiver", [&]() -> task<> {
        auto here = udp::socket::bind("0.0.0.0:7000").value();
        std::array<std::byte, 10> room;
        auto first = co_await here.receive(room);
        size = first.value().size;
        truncated = first->truncated;
        co_await sleep(1s);  // the others pile up
        while (auto next = co_await timeout(1s, here.receive(room))) ++came;
    });
    w.host("sender", [&]() -> task<> {
        auto here = udp::socket::bind("0.0.0.0:0").value();
        const std::string text(10'000, 'x');
        for (int at = 0; at < 100; ++at)
            co_await here.send_to(bytes_of(text), w.address_of("receiver", 7000));
        const std::string too_long(65'508, 'x');
        const auto refused =
            co_await here.send_to(bytes_of(too_long), w.address_of("receiver", 7000));
        EXPECT_EQ(refused.error(), std::errc::message_size);
    });
    const report seen = w.run();
    EXPECT_TRUE(seen.ok()) << seen.text();
    EXPECT_TRUE(truncated);
    EXPECT_EQ(size, 10'000U);
    EXPECT_EQ(came, 21) << "what 212992 bytes have room for";
}

TEST(sim_datagrams, do_not_come_over_a_line_that_is_cut) {
    world w(7);
    heard what;
    w.at(0ns, [&] { w.cut("sender", "receiver"); });
    const report seen = send_numbers(w, what);
    EXPECT_TRUE(seen.ok()) << seen.text();
    EXPECT_TRUE(what.numbers.empty());
}

}  // namespace
}  // namespace upcall::sim
