// Hosts of a world reach each other by their addresses, and have everything else for themselves.
#include "sim_test.hpp"

namespace upcall::sim {
namespace {

TEST(sim_hosts, talk_by_their_addresses) {
    world w(7);
    std::string got;
    std::string from;
    w.service("server", echo_server);
    w.host("client", [&]() -> task<> {
        auto peer = (co_await tcp::connect(w.address_of("server", 7000))).value();
        from = peer.local_address().value().to_string();
        got = (co_await exchange(peer, "hello")).value();
    });
    const report seen = w.run();
    EXPECT_TRUE(seen.ok()) << seen.text();
    EXPECT_EQ(got, "hello");
    EXPECT_TRUE(from.starts_with("10.0.0.2:")) << from;
    EXPECT_EQ(w.kernel().open_descriptors(), 0U);
    EXPECT_GT(seen.time, 0ns);
    EXPECT_LT(seen.time, 1s);
}

TEST(sim_hosts, talk_over_ipv6) {
    world w(7);
    std::string got;
    w.service("server", []() -> task<> {
        auto listener = tcp::listener::bind("[::]:7000").value();
        auto peer = co_await listener.accept();
        if (peer) co_await echo(std::move(*peer));
    });
    w.host("client", [&]() -> task<> {
        const auto where = w.address_of("server", 7000, address_family::ipv6);
        auto peer = (co_await tcp::connect(where)).value();
        got = (co_await exchange(peer, "hello")).value();
    });
    const report seen = w.run();
    EXPECT_TRUE(seen.ok()) << seen.text();
    EXPECT_EQ(got, "hello");
}

TEST(sim_hosts, have_loopback_addresses_of_their_own) {
    world w(7);
    int refused = 0;
    int bound = 0;
    const auto main = [&]() -> task<> {
        auto listener = tcp::listener::bind("127.0.0.1:7000");
        bound += listener.has_value();
        co_await sleep(1s);
    };
    w.host("one", main);
    w.host("other", main);
    w.host("third", [&]() -> task<> {
        co_await sleep(500ms);
        const auto peer = co_await tcp::connect("127.0.0.1:7000");
        refused += !peer && peer.error() == std::errc::connection_refused;
    });
    const report seen = w.run();
    EXPECT_TRUE(seen.ok()) << seen.text();
    EXPECT_EQ(bound, 2);
    EXPECT_EQ(refused, 1);
}

// The second was there, and nobody could name it.
TEST(sim_hosts, have_names_of_their_own) {
    const auto main = []() -> task<> { co_return; };
    EXPECT_DEATH(
        {
            world w(7);
            w.host("one", main);
            w.service("one", main);
        },
        "there is a host \"one\" in this world already");
}

TEST(sim_hosts, cannot_take_the_address_of_another) {
    world w(7);
    std::error_code why;
    w.host("one", [&]() -> task<> {
        const auto bound = tcp::listener::bind(w.address_of("other", 7000));
        if (!bound) why = bound.error();
        co_return;
    });
    w.host("other", []() -> task<> { co_return; });
    EXPECT_TRUE(w.run().ok());
    EXPECT_EQ(why, std::errc::address_not_available);
}

TEST(sim_hosts, get_no_answer_from_an_address_that_nobody_has) {
    world w(7);
    std::error_code why;
    w.host("one", [&]() -> task<> {
        const auto peer = co_await tcp::connect("10.9.9.9:7000");
        if (!peer) why = peer.error();
    });
    EXPECT_TRUE(w.run().ok());
    EXPECT_EQ(why, std::errc::timed_out);
}

TEST(sim_hosts, have_files_of_their_own) {
    world w(7);
    bool found = true;
    w.host("one", []() -> task<> {
        auto made = (co_await file::open("/data", open_write | open_create)).value();
        (co_await made.write_all_at(bytes_of("text"), 0)).cause.clear();
    });
    w.host("other", [&]() -> task<> {
        co_await sleep(1s);
        const auto made = co_await file::open("/data", open_read);
        found = made.has_value();
    });
    EXPECT_TRUE(w.run().ok());
    EXPECT_FALSE(found);
}

TEST(sim_hosts, that_serve_are_asked_to_stop_when_the_others_have_ended) {
    world w(7);
    bool stopped = false;
    duration when{};
    w.service("server", [&]() -> task<> {
        co_await echo_server();
        stopped = true;
        when = w.elapsed();
    });
    w.host("client", []() -> task<> { co_await sleep(1h); });
    EXPECT_TRUE(w.run().ok());
    EXPECT_TRUE(stopped);
    EXPECT_GE(when, 1h);
}

}  // namespace
}  // namespace upcall::sim
