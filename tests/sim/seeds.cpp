// One seed is one run, again and again; failures are found, replayed, made smaller, and kept.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "sim_test.hpp"
#include "support/scratch_folder.hpp"

namespace upcall::sim {
namespace {

report talk(world& w) {
    w.service("server", echo_server);
    for (int each = 0; each < 3; ++each)
        w.host("client" + std::to_string(each), [&]() -> task<> {
            auto peer = co_await tcp::connect(w.address_of("server", 7000));
            if (peer) co_await timeout(1min, exchange(*peer, std::string(10'000, 'x')));
        });
    w.fail_power_sometimes("server", {.most = 2, .when = {0s, 1ms}, .lasts = {1ms, 2s}});
    return w.run();
}

world_options faulty() {
    world_options options;
    options.vary_faults = true;
    options.kernel.faults.short_read = 200'000;
    options.kernel.faults.short_write = 200'000;
    options.kernel.faults.reset = 20'000;
    options.kernel.faults.lost_connect = 200'000;
    options.kernel.faults.clog = 20'000;
    return options;
}

/// Two accounts at a bank that forgets to lock: what is paid in while somebody else pays in is
/// lost.
report bank(world& w) {
    int money = 0;
    w.host("bank", [&]() -> task<> {
        co_await with_scope([&](scope& clerks) -> task<> {
            for (int each = 0; each < 2; ++each)
                clerks.spawn_now([](int& all, int pause) -> task<> {
                    co_await sleep(std::chrono::microseconds(pause));
                    const int before = all;
                    co_await status("/");
                    all = before + 1;
                }(money, 150 * each));
            co_return;
        });
    });
    report seen = w.run();
    if (seen.ok() && money != 2) seen.fail("money was lost: " + std::to_string(money));
    return seen;
}

TEST(sim_seeds, decide_everything) {
    world_options options = faulty();
    options.kernel.seed = 5;
    const report one = run_seed(talk, options);
    const report same = run_seed(talk, options);
    EXPECT_EQ(one.digest, same.digest);
    EXPECT_EQ(one.trace, same.trace);
    EXPECT_EQ(one.choices, same.choices);
    EXPECT_GT(one.outcomes, 10U);
    options.kernel.seed = 6;
    EXPECT_NE(run_seed(talk, options).digest, one.digest);
}

TEST(sim_seeds, are_tried_twice_each_and_agree) {
    const survey seen = try_seeds(talk, {.count = 100, .world = faulty()});
    EXPECT_EQ(seen.tried, 100U);
    EXPECT_FALSE(seen.failure) << seen.failure->text();
}

TEST(sim_seeds, that_something_outside_has_a_say_in_are_told) {
    int outside = 0;
    const survey seen = try_seeds([&](world& w) {
        w.host("one", [&]() -> task<> { co_await sleep(std::chrono::seconds(++outside)); });
        w.host("other", []() -> task<> { co_await status("/"); });
        report made = w.run();
        made.digest += static_cast<std::uint64_t>(outside);
        return made;
    });
    EXPECT_EQ(seen.tried, 1U);
    ASSERT_TRUE(seen.failure);
    EXPECT_TRUE(seen.failure->what.starts_with("two runs of one seed differ"));
}

TEST(sim_seeds, that_failed_run_again_from_their_choices) {
    const survey seen = try_seeds(bank, {.count = 100});
    ASSERT_TRUE(seen.failure);
    EXPECT_EQ(seen.failure->what, "money was lost: 1");
    const report again = replay(bank, *seen.failure);
    EXPECT_EQ(again.digest, seen.failure->digest);
    EXPECT_EQ(again.what, seen.failure->what);
    EXPECT_EQ(again.trace, seen.failure->trace);
}

TEST(sim_seeds, that_failed_are_made_smaller) {
    const survey seen = try_seeds(bank, {.count = 100});
    ASSERT_TRUE(seen.failure);
    const report small = shrink(bank, *seen.failure);
    EXPECT_EQ(small.how, ending::failed);
    EXPECT_EQ(small.what, "money was lost: 1");
    EXPECT_LT(small.choices.size(), seen.failure->choices.size());
    EXPECT_EQ(small.without, 2 * static_cast<std::uint32_t>(fault_last) - 1) << "needs no faults";
    EXPECT_EQ(replay(bank, small).digest, small.digest);
}

TEST(sim_seeds, an_exception_out_of_the_test_is_a_failure) {
    const survey seen = try_seeds([](world&) -> report { throw std::runtime_error("no"); });
    ASSERT_TRUE(seen.failure);
    EXPECT_EQ(seen.failure->what, "an exception left the scenario: no");
}

TEST(sim_seeds, end_when_asked_to) {
    std::uint64_t told = 0;
    const survey seen =
        try_seeds(talk, {.count = 100, .progress = [&](const report&) { return ++told < 3; }});
    EXPECT_EQ(seen.tried, 3U);
    EXPECT_FALSE(seen.failure);
}

TEST(sim_seeds, that_failed_are_kept_in_files) {
    const testing::scratch_folder folder;
    report failed;
    failed.seed = 17;
    failed.without = 5;
    failed.how = ending::stalled;
    failed.what = "nothing; of\nthis";
    failed.choices = {0, 0, 0, 7, 7, UINT64_MAX, 0};
    const std::string path = folder / "case";
    ASSERT_TRUE(save(failed, path));
    const auto read = load(path);
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->seed, 17U);
    EXPECT_EQ(read->without, 5U);
    EXPECT_EQ(read->how, ending::stalled);
    EXPECT_EQ(read->what, "nothing; of this");
    EXPECT_EQ(read->choices, failed.choices);
}

TEST(sim_seeds, other_files_are_refused) {
    const testing::scratch_folder folder;
    const std::string path = folder / "case";
    EXPECT_EQ(load(path).error(), std::errc::no_such_file_or_directory);
    EXPECT_FALSE(save({}, folder / "missing/case"));
    for (const char* text :
         {"", "something else\n", "upcall simulated failure, form 1\nseed x\n",
          "upcall simulated failure, form 1\nseed 1\nwithout 0\noutcome 9 a\nchoices\n",
          "upcall simulated failure, form 1\nseed 1\nwithout 0\noutcome 1 a\nchoices\n1*\n",
          "upcall simulated failure, form 1\nseed 1\nwithout 0\noutcome 1 "
          "a\nchoices\n1*9999999999\n"}) {
        std::ofstream(path) << text;
        EXPECT_EQ(load(path).error(), std::errc::invalid_argument) << text;
    }
}

}  // namespace
}  // namespace upcall::sim
