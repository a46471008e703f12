// Power failures and kills: what a program, its peers and its files see of them.
#include "sim_test.hpp"

namespace upcall::sim {
namespace {

task<result<void>> make(std::string directory) {
    co_return co_await make_directory(std::move(directory));
}

/// Says "ping" every second until the peer is gone; yields why.
task<std::error_code> keep_asking(tcp::stream& peer) {
    for (;;) {
        auto answer = co_await timeout(10min, exchange(peer, "ping"));
        if (!answer) co_return answer.error();
        co_await sleep(1s);
    }
}

TEST(sim_power, fails_without_a_word_to_peers) {
    world w(7);
    std::error_code why;
    w.service("server", echo_server);
    w.host("client", [&]() -> task<> {
        auto peer = (co_await tcp::connect(w.address_of("server", 7000))).value();
        EXPECT_TRUE(co_await exchange(peer, "hello"));
        w.fail_power("server");
        auto chunk = co_await timeout(5h, peer.receive());
        if (!chunk) why = chunk.error();
    });
    const report seen = w.run();
    EXPECT_TRUE(seen.ok()) << seen.text();
    EXPECT_EQ(why, errc::deadline_exceeded);
    EXPECT_EQ(w.starts_of("server"), 1U);
    EXPECT_EQ(w.kernel().open_descriptors(), 0U);
}

// A sleep is no operation of the kernel's: it ended well in what was left of the turn.
TEST(sim_power, that_a_program_takes_from_itself_is_gone_at_once) {
    for (const bool power : {true, false}) {
        world w(7);
        std::vector<std::error_code> seen_after;
        w.host("one", [&]() -> task<> {
            if (w.starts_of("one") > 1) co_return;
            power ? w.fail_power("one") : w.kill("one");
            w.restart("one");
            for (int step = 0; step < 2; ++step) {
                const auto slept = co_await sleep(1ms);
                seen_after.push_back(slept ? std::error_code() : slept.error());
            }
            auto listener = tcp::listener::bind("0.0.0.0:7000");
            if (listener) seen_after.push_back((co_await listener->accept()).error());
        });
        const report seen = w.run();
        EXPECT_TRUE(seen.ok()) << seen.text();
        EXPECT_EQ(w.starts_of("one"), 2U);
        ASSERT_GE(seen_after.size(), 2U);
        for (const std::error_code& why : seen_after) EXPECT_EQ(why, errc::cancelled) << power;
    }
}

TEST(sim_power, once_back_resets_those_who_still_speak) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        world w(seed);
        std::error_code why;
        std::string again;
        w.service("server", echo_server);
        w.host("client", [&]() -> task<> {
            auto peer = (co_await tcp::connect(w.address_of("server", 7000))).value();
            why = co_await keep_asking(peer);
            auto other = (co_await tcp::connect(w.address_of("server", 7000))).value();
            again = (co_await exchange(other, "hello")).value();
        });
        w.at(10s, [&] { w.fail_power("server"); });
        w.at(20s, [&] { w.restart("server"); });
        const report seen = w.run();
        EXPECT_TRUE(seen.ok()) << seen.text();
        EXPECT_EQ(why, std::errc::connection_reset);
        EXPECT_EQ(again, "hello");
        EXPECT_EQ(w.starts_of("server"), 2U);
        EXPECT_LT(w.elapsed(), 1min);
    }
}

TEST(sim_power, that_stays_away_lets_those_who_speak_give_up) {
    world w(7);
    std::error_code why;
    w.service("server", echo_server);
    w.host("client", [&]() -> task<> {
        auto peer = (co_await tcp::connect(w.address_of("server", 7000))).value();
        w.fail_power("server");
        auto answer = co_await exchange(peer, "anybody there?");
        if (!answer) why = answer.error();
    });
    const report seen = w.run();
    EXPECT_TRUE(seen.ok()) << seen.text();
    EXPECT_EQ(why, std::errc::timed_out);
    EXPECT_GE(seen.time, 15min);
    EXPECT_LT(seen.time, 16min);
}

TEST(sim_power, lets_connecting_clients_wait_for_it) {
    world w(7);
    std::string got;
    w.service("server", echo_server);
    w.host("client", [&]() -> task<> {
        w.fail_power("server");
        w.at(5s, [&] { w.restart("server"); });
        auto peer = (co_await tcp::connect(w.address_of("server", 7000))).value();
        got = (co_await exchange(peer, "hello")).value();
    });
    const report seen = w.run();
    EXPECT_TRUE(seen.ok()) << seen.text();
    EXPECT_EQ(got, "hello");
}

TEST(sim_kills, are_told_to_peers_by_the_kernel) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        world w(seed);
        std::error_code why;
        w.service("server", echo_server);
        w.host("client", [&]() -> task<> {
            auto peer = (co_await tcp::connect(w.address_of("server", 7000))).value();
            why = co_await keep_asking(peer);
        });
        w.at(10s, [&] { w.kill("server"); });
        const report seen = w.run();
        EXPECT_TRUE(seen.ok()) << seen.text();
        EXPECT_TRUE(why == errc::end_of_stream || why == std::errc::connection_reset)
            << why.message();
        EXPECT_LT(seen.time, 20s);
    }
}

TEST(sim_power, ends_every_operation_of_its_program_without_effect) {
    world w(7);
    unsigned ended = 0;
    unsigned cleaned = 0;
    bool made = true;
    w.host("victim", [&]() -> task<> {
        if (w.starts_of("victim") == 2) {
            made = (co_await status("/late")).has_value();
            co_return;
        }
        auto listener = tcp::listener::bind("0.0.0.0:7000").value();
        co_await with_scope([&](scope& all) -> task<> {
            all.spawn_now([](unsigned& count) -> task<> {
                co_await sleep(1h);
                ++count;
                const auto late = co_await shield(1min, make("/late"));
                if (!late) ++count;
            }(cleaned));
            auto peer = co_await listener.accept();
            if (!peer) ++ended;
        });
    });
    w.at(1s, [&] { w.fail_power("victim"); });
    w.at(2s, [&] { w.restart("victim"); });
    const report seen = w.run();
    EXPECT_TRUE(seen.ok()) << seen.text();
    EXPECT_EQ(ended, 1U);
    EXPECT_EQ(cleaned, 2U);
    EXPECT_FALSE(made);
    EXPECT_LT(seen.time, 3s) << "what remains of a program takes no time";
}

TEST(sim_power, may_fail_by_the_hand_of_the_program_itself) {
    world w(7);
    w.host("one", [&]() -> task<> {
        if (w.starts_of("one") == 2) co_return;
        w.at(1h, [&] { w.restart("one"); });
        w.fail_power("one");
        const auto nothing = co_await make_directory("/late");
        EXPECT_FALSE(nothing);
    });
    const report seen = w.run();
    EXPECT_TRUE(seen.ok()) << seen.text();
    EXPECT_EQ(w.starts_of("one"), 2U);
}

// One more step of the program has happened with each of them.
TEST(sim_power, may_fail_at_every_outcome) {
    std::uint64_t at = 0;
    bool reached = true;
    while (reached) {
        world w(7);
        int rounds = 0;
        w.host("one", [&]() -> task<> {
            for (rounds = 0; rounds < 20; ++rounds) {
                const auto made = co_await make_directory("/" + std::to_string(rounds));
                if (!made && made.error() != std::errc::file_exists) break;
            }
        });
        w.fail_power_at("one", ++at, 1s);
        const report seen = w.run();
        EXPECT_TRUE(seen.ok()) << seen.text();
        EXPECT_EQ(rounds, 20);
        reached = w.starts_of("one") == 2;
    }
    EXPECT_EQ(at, 21U);
}

TEST(sim_power, failing_now_and_then_is_part_of_the_seed) {
    unsigned restarted = 0;
    const auto scenario = [&](world& w) {
        w.service("server", echo_server);
        w.fail_power_sometimes("server", {.most = 3, .when = {0s, 10s}, .lasts = {1ms, 1s}});
        w.kill_sometimes("server", {.most = 1, .when = {0s, 10s}});
        w.host("client", [&]() -> task<> {
            for (int round = 0; round < 10; ++round) {
                auto peer = co_await tcp::connect(w.address_of("server", 7000));
                if (peer) co_await timeout(1s, exchange(*peer, "hello"));
                co_await sleep(1s);
            }
        });
        report seen = w.run();
        if (w.starts_of("server") > 1) ++restarted;
        return seen;
    };
    const survey seen = try_seeds(scenario, {.count = 50});
    EXPECT_FALSE(seen.failure) << seen.failure->text();
    EXPECT_GT(restarted, 20U);
    world_options without;
    without.without =
        static_cast<std::uint32_t>(fault::power) | static_cast<std::uint32_t>(fault::kills);
    restarted = 0;
    EXPECT_FALSE(try_seeds(scenario, {.count = 50, .world = without}).failure);
    EXPECT_EQ(restarted, 0U);
}

TEST(sim_power, a_program_that_survives_it_is_a_failure) {
    world w(7);
    w.host("stubborn", []() -> task<> {
        for (;;) {
            const auto made = co_await make_directory("/again");
            if (made) co_await sleep(1h);
        }
    });
    w.at(1s, [&] { w.fail_power("stubborn"); });
    const report seen = w.run();
    EXPECT_EQ(seen.how, ending::limit);
    EXPECT_EQ(seen.what, "stubborn goes on though all of its operations have ended");
}

}  // namespace
}  // namespace upcall::sim
