// From some moment on nothing goes wrong any more, whatever was asked for.
#include "sim_test.hpp"

namespace upcall::sim {
namespace {

TEST(sim_calm_days, have_no_faults_and_whole_lines) {
    world_options options;
    options.kernel.faults.reset = 1'000'000;
    options.kernel.faults.lost_connect = 1'000'000;
    world w(options);
    bool reached_before = true;
    std::string got;
    w.service("server", echo_server);
    w.host("client", [&]() -> task<> {
        auto early = co_await timeout(10s, tcp::connect(w.address_of("server", 7000)));
        reached_before = early.has_value();
        w.part("client", "server");
        w.end_faults();
        auto peer = (co_await tcp::connect(w.address_of("server", 7000))).value();
        got = (co_await exchange(peer, "hello")).value();
    });
    const report seen = w.run();
    EXPECT_TRUE(seen.ok()) << seen.text();
    EXPECT_FALSE(reached_before);
    EXPECT_EQ(got, "hello");
}

TEST(sim_calm_days, have_no_mishaps_and_bring_back_who_had_one) {
    unsigned starts = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        world w(seed);
        w.host("server", []() -> task<> { co_await sleep(10s); });
        w.fail_power_sometimes("server", {.most = 8, .when = {0s, 2s}, .lasts = {1s, 1s}});
        w.at(1s, [&] { w.end_faults(); });
        const report seen = w.run();
        EXPECT_TRUE(seen.ok()) << seen.text();
        EXPECT_LE(seen.time, 12s) << "it ran from the second second on, at the latest";
        starts += w.starts_of("server");
    }
    EXPECT_GT(starts, 20U) << "there were some before";
}

}  // namespace
}  // namespace upcall::sim
