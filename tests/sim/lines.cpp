// Lines between hosts: cut one way or both, mended, clogged.
#include "sim_test.hpp"

namespace upcall::sim {
namespace {

TEST(sim_lines, that_are_mended_bring_everything_in_order) {
    duration longest{};
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        world w(seed);
        std::string sent(200'000, '?');
        for (std::size_t at = 0; at < sent.size(); ++at)
            sent[at] = static_cast<char>('a' + at % 23);
        bool same = false;
        w.service("server", echo_server);
        w.host("client", [&]() -> task<> {
            auto peer = (co_await tcp::connect(w.address_of("server", 7000))).value();
            auto answer = [](tcp::stream& from, std::size_t size) -> task<std::string> {
                std::string all;
                while (all.size() < size) {
                    auto chunk = co_await from.receive();
                    if (!chunk) break;
                    all += text_of(*chunk);
                }
                co_return all;
            };
            const auto [all, ended] =
                co_await when_all(answer(peer, sent.size()), peer.write_all(bytes_of(sent)));
            same = all == sent;
        });
        w.part_sometimes("server", "client", {.most = 10, .when = {0s, 5ms}, .lasts = {1us, 20ms}});
        w.at(1ms, [&] { w.cut("client", "server"); });
        w.at(20ms, [&] { w.cut("server", "client"); });
        w.at(1s, [&] { w.mend("client", "server"); });
        const report seen = w.run();
        EXPECT_TRUE(seen.ok()) << seen.text();
        EXPECT_TRUE(same) << "seed " << seed;
        longest = std::max(longest, seen.time);
    }
    EXPECT_GT(longest, 1s);
}

TEST(sim_lines, that_stay_cut_are_given_up_by_those_who_speak) {
    for (const bool this_way : {true, false}) {
        world w(7);
        std::error_code told;
        std::error_code waited;
        w.service("server", [&]() -> task<> {
            auto listener = tcp::listener::bind("0.0.0.0:7000").value();
            auto peer = (co_await listener.accept()).value();
            auto chunk = co_await timeout(1h, peer.receive());
            if (!chunk) waited = chunk.error();
        });
        w.host("client", [&]() -> task<> {
            auto peer = (co_await tcp::connect(w.address_of("server", 7000))).value();
            if (this_way)
                w.cut("client", "server");
            else
                w.part("client", "server");
            auto answer = co_await exchange(peer, "anybody there?");
            if (!answer) told = answer.error();
            co_await sleep(1h);
        });
        const report seen = w.run();
        EXPECT_TRUE(seen.ok()) << seen.text();
        EXPECT_EQ(told, std::errc::timed_out);
        EXPECT_EQ(waited, errc::deadline_exceeded) << "nobody speaks: nobody is told";
    }
}

TEST(sim_lines, let_through_the_other_way) {
    world w(7);
    std::string heard;
    w.service("server", [&]() -> task<> {
        auto listener = tcp::listener::bind("0.0.0.0:7000").value();
        auto peer = (co_await listener.accept()).value();
        w.cut("client", "server");
        const auto sent = co_await peer.write_all(bytes_of("you cannot answer"));
        EXPECT_TRUE(sent);
        co_await sleep(1s);
    });
    w.host("client", [&]() -> task<> {
        auto peer = (co_await tcp::connect(w.address_of("server", 7000))).value();
        while (heard.size() < 17) heard += text_of((co_await peer.receive()).value());
    });
    const report seen = w.run();
    EXPECT_TRUE(seen.ok()) << seen.text();
    EXPECT_EQ(heard, "you cannot answer");
}

TEST(sim_lines, isolated_hosts_talk_to_themselves) {
    world w(7);
    std::string alone;
    std::error_code outside;
    w.service("server", echo_server);
    w.host("client", [&]() -> task<> {
        w.isolate("client");
        auto listener = tcp::listener::bind(w.address_of("client", 80)).value();
        co_await with_scope([&](scope& all) -> task<> {
            all.spawn_now([](tcp::listener& here) -> task<> {
                auto peer = co_await here.accept();
                if (peer) co_await echo(std::move(*peer));
            }(listener));
            auto peer = (co_await tcp::connect(w.address_of("client", 80))).value();
            alone = (co_await exchange(peer, "me")).value();
        });
        const auto peer = co_await timeout(1min, tcp::connect(w.address_of("server", 7000)));
        if (!peer) outside = peer.error();
        w.rejoin("client");
        EXPECT_TRUE(co_await tcp::connect(w.address_of("server", 7000)));
    });
    const report seen = w.run();
    EXPECT_TRUE(seen.ok()) << seen.text();
    EXPECT_EQ(alone, "me");
    EXPECT_TRUE(is_cancellation(outside) || outside == errc::interrupted) << outside.message();
}

TEST(sim_lines, that_clog_hold_everything_up_for_a_while) {
    world_options options;
    options.kernel.faults.clog = 300'000;
    options.kernel.clog_time = {1s, 2s};
    world w(options);
    w.service("server", echo_server);
    w.host("client", [&]() -> task<> {
        auto peer = (co_await tcp::connect(w.address_of("server", 7000))).value();
        for (int round = 0; round < 20; ++round)
            EXPECT_EQ((co_await exchange(peer, "ping")).value(), "ping");
    });
    const report seen = w.run();
    EXPECT_TRUE(seen.ok()) << seen.text();
    EXPECT_GT(seen.time, 3s);
    EXPECT_LT(seen.time, 2min);
}

// Data that was held up by a cut line is lost with its sender's memory; what comes after it may not
// be taken for it.
TEST(sim_lines, lose_what_a_sender_without_power_cannot_repeat) {
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        world w(seed);
        std::string heard;
        w.host("server", [&]() -> task<> {
            auto listener = tcp::listener::bind("0.0.0.0:7000").value();
            auto peer = co_await timeout(1h, listener.accept());
            while (peer) {
                auto chunk = co_await timeout(1h, peer->receive());
                if (!chunk) break;
                heard += text_of(*chunk);
            }
        });
        w.service("client", [&]() -> task<> {
            auto peer = (co_await tcp::connect(w.address_of("server", 7000))).value();
            for (char letter = 'a'; letter <= 'z'; ++letter) {
                const std::string text(1, letter);
                const auto sent = co_await peer.write_all(bytes_of(text));
                if (!sent) break;
            }
            co_await sleep(1h);
        });
        w.at(duration(w.chosen().below(2'000'000)), [&] { w.cut("client", "server"); });
        w.at(duration(w.chosen().below(3'000'000)), [&] { w.fail_power("client"); });
        w.at(1s, [&] { w.mend("client", "server"); });
        const report seen = w.run();
        EXPECT_TRUE(seen.ok()) << seen.text();
        EXPECT_TRUE(std::string("abcdefghijklmnopqrstuvwxyz").starts_with(heard)) << heard;
    }
}

}  // namespace
}  // namespace upcall::sim
