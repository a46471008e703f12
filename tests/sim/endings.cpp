// How a run ends, and what the report says of it.
#include <stdexcept>

#include "sim_test.hpp"

namespace upcall::sim {
namespace {

TEST(sim_endings, an_exception_is_told_with_its_host) {
    world w(7);
    w.host("good", []() -> task<> { co_await sleep(1h); });
    w.host("bad", []() -> task<> {
        co_await sleep(1s);
        throw std::runtime_error("the cat is on fire");
    });
    const report seen = w.run();
    EXPECT_EQ(seen.how, ending::failed);
    EXPECT_EQ(seen.what, "an exception left bad: the cat is on fire");
    EXPECT_THROW(std::rethrow_exception(seen.error), std::runtime_error);
    EXPECT_LT(seen.time, 1h) << "the others are not waited for";
}

// The end of all time came when nothing else did, and there was no event to take.
TEST(sim_endings, what_is_planned_for_never_does_not_keep_a_world) {
    world w(7);
    bool called = false;
    w.at(duration::max(), [&] { called = true; });
    w.host("lost", [&]() -> task<> {
        w.fail_power("lost");
        co_await sleep(1s);
    });
    const report seen = w.run();
    EXPECT_TRUE(seen.ok()) << seen.text();
    EXPECT_FALSE(called);
}

TEST(sim_endings, a_stall_is_told_with_those_who_wait) {
    world w(7);
    w.host("server", []() -> task<> {
        auto listener = tcp::listener::bind("0.0.0.0:7000").value();
        auto first = co_await listener.accept();
        auto second = co_await listener.accept();
    });
    w.host("client", [&]() -> task<> {
        auto peer = (co_await tcp::connect(w.address_of("server", 7000))).value();
        co_await with_scope([&](scope& inner) -> task<> {
            inner.spawn_now(
                [](tcp::stream& from) -> task<> { auto chunk = co_await from.receive(); }(peer),
                "reader");
            co_return;
        });
    });
    const report seen = w.run();
    EXPECT_EQ(seen.how, ending::stalled);
    EXPECT_EQ(seen.what,
              "nothing can happen any more; on server wait \"server\", in flight accept; "
              "on client wait \"reader\", in flight receive");
    EXPECT_EQ(w.kernel().open_descriptors(), 0U) << "what is left is cleared away";
}

TEST(sim_endings, a_lock_that_nobody_gives_back_is_a_stall) {
    world w(7);
    w.host("one", []() -> task<> {
        event never_set;
        co_await never_set.wait();
    });
    const report seen = w.run();
    EXPECT_EQ(seen.how, ending::stalled);
    EXPECT_EQ(seen.what, "nothing can happen any more; on one wait \"one\", in flight nothing");
}

TEST(sim_endings, a_program_that_spins_comes_to_the_limit) {
    world_options options;
    options.limits.turns = 10'000;
    world w(options);
    w.host("one", []() -> task<> {
        while (co_await this_task::cancel_requested() == cancel_cause::none) co_await yield();
    });
    const report seen = w.run();
    EXPECT_EQ(seen.how, ending::limit);
    EXPECT_NE(seen.what.find("too many turns; on one wait \"one\""), seen.what.npos) << seen.what;
}

TEST(sim_endings, a_day_is_long_enough) {
    world w(7);
    w.host("one", []() -> task<> { co_await sleep(std::chrono::hours(25)); });
    const report seen = w.run();
    EXPECT_EQ(seen.how, ending::limit);
    EXPECT_NE(seen.what.find("the time is up"), seen.what.npos) << seen.what;
}

TEST(sim_endings, the_trace_ends_with_what_happened_last) {
    world_options options;
    options.trace_lines = 10;
    world w(options);
    w.host("one", [&]() -> task<> {
        for (int each = 0; each < 20; ++each) {
            const auto known = co_await status("/");
            EXPECT_TRUE(known);
        }
        const auto missing = co_await status("/nothing");
        EXPECT_FALSE(missing);
    });
    const report seen = w.run();
    ASSERT_EQ(seen.trace.size(), 10U);
    EXPECT_NE(seen.trace.back().find("one  \"one\" file call #21: No such file"), std::string::npos)
        << seen.trace.back();
    EXPECT_NE(seen.text().find(seen.trace.back()), std::string::npos);
}

TEST(sim_endings, a_stall_names_the_circle_of_a_deadlock) {
    world w(7);
    mutex ledger;
    w.host("bank", [&]() -> task<> {
        const auto held = co_await ledger.lock();
        const auto again = co_await ledger.lock();
    });
    const report seen = w.run();
    EXPECT_EQ(seen.how, ending::stalled);
    EXPECT_EQ(seen.what,
              "nothing can happen any more; on bank wait \"bank\", in flight nothing, in a circle "
              "\"bank\" -> \"bank\"");
}

// A deadlock was printed, which the world's script then ended.
TEST(sim_endings, what_the_script_will_end_is_no_deadlock) {
    event told;
    world w(7);
    w.host("one", [&]() -> task<> { EXPECT_TRUE(co_await told.wait()); });
    w.at(10s, [&] { told.set(); });
    ::testing::internal::CaptureStderr();
    const report seen = w.run();
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
    EXPECT_TRUE(seen.ok()) << seen.text();
}

TEST(sim_endings, a_failure_of_the_test_is_one_of_the_run) {
    world w(7);
    w.host("one", []() -> task<> { co_return; });
    report seen = w.run();
    EXPECT_TRUE(seen.ok());
    seen.expect(true, "not this");
    EXPECT_TRUE(seen.ok());
    seen.expect(false, "the ledger is wrong");
    seen.fail("later");
    EXPECT_EQ(seen.how, ending::failed);
    EXPECT_EQ(seen.what, "the ledger is wrong");
}

}  // namespace
}  // namespace upcall::sim
