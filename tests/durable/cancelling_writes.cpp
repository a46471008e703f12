// What it means to cancel a write, a commit and a sync, at each point of their lives.
#include "held_disk.hpp"

namespace upcall::testing {
namespace {

class cancelling_writes : public on_a_held_disk {};

TEST_F(cancelling_writes, one_that_waits_for_its_turn_never_happened) {
    auto first = write("aaaa", 0);
    settle();
    auto second = write("bbbb", 2);
    auto third = append("cc");
    settle();
    second.cancel();
    settle();
    EXPECT_EQ(second.outcome().cause, errc::cancelled);
    EXPECT_EQ(second.outcome().bytes, 0U);
    EXPECT_EQ(held(), "w0:aaaa w4:cc") << "those behind it go on, and leave no gap";
    answer();
    answer();
    EXPECT_EQ(third.outcome().offset, 4U);
}

TEST_F(cancelling_writes, one_that_was_started_in_the_same_turn_never_happened) {
    auto first = append("a");
    auto second = append("b");
    auto third = append("c");
    second.cancel(cancel_cause::deadline);
    settle();
    EXPECT_EQ(second.outcome().cause, errc::deadline_exceeded);
    EXPECT_EQ(held(), "w0:ac");
    answer();
}

TEST_F(cancelling_writes, one_that_the_kernel_has_runs_to_its_end) {
    auto first = append("abc");
    settle();
    first.cancel();
    settle();
    EXPECT_FALSE(first.done());
    EXPECT_EQ(disk().cancels, 0) << "a gap in the file would be worse";
    answer();
    EXPECT_TRUE(first.outcome()) << "it happened, so its value is delivered";
    EXPECT_EQ(first.outcome().bytes, 3U);
}

TEST_F(cancelling_writes, a_commit_that_is_being_written_ends_before_the_sync) {
    auto first = commit("abc");
    auto second = commit("def");
    settle();
    first.cancel();
    settle();
    EXPECT_FALSE(first.done());
    answer();
    EXPECT_EQ(first.outcome().cause, errc::cancelled);
    EXPECT_EQ(first.outcome().bytes, 3U) << "its bytes are in the file";
    EXPECT_EQ(held(), "s") << "for the other";
    answer();
    EXPECT_TRUE(second.outcome());
    EXPECT_EQ(writer().durable_mark(), 2U);
}

TEST_F(cancelling_writes, a_commit_that_waits_for_the_disk_stops_waiting) {
    auto first = commit("abc");
    auto second = commit("def");
    settle();
    answer();
    second.cancel(cancel_cause::deadline);
    settle();
    EXPECT_EQ(second.outcome().cause, errc::deadline_exceeded);
    EXPECT_EQ(second.outcome().bytes, 3U);
    EXPECT_EQ(held(), "s");
    answer();
    EXPECT_TRUE(first.outcome());
}

TEST_F(cancelling_writes, a_sync_that_nobody_waits_for_any_more_still_counts) {
    auto first = commit("abc");
    settle();
    answer();
    first.cancel();
    settle();
    EXPECT_TRUE(first.done());
    EXPECT_EQ(held(), "s");
    answer();
    EXPECT_EQ(writer().durable_mark(), 1U);
}

TEST_F(cancelling_writes, a_sync_that_nobody_waits_for_any_more_still_fails_for_all) {
    auto first = commit("abc");
    settle();
    answer();
    first.cancel();
    settle();
    answer(0, -EIO);
    EXPECT_EQ(writer().broken(), errc::not_durable);
}

TEST_F(cancelling_writes, no_sync_is_started_for_those_who_left) {
    auto first = append("abc");
    settle();
    auto second = sync();
    settle();
    second.cancel();
    settle();
    EXPECT_EQ(second.outcome().error(), errc::cancelled);
    answer();
    EXPECT_EQ(held(), "");
    EXPECT_TRUE(first.outcome());
}

TEST_F(cancelling_writes, who_comes_after_those_who_left_is_served) {
    auto first = commit("abc");
    settle();
    first.cancel();
    answer();
    EXPECT_EQ(held(), "");
    auto second = commit("d");
    settle();
    answer();
    EXPECT_EQ(held(), "s");
    answer();
    EXPECT_TRUE(second.outcome());
    EXPECT_EQ(writer().durable_mark(), 2U);
}

TEST_F(cancelling_writes, stopping_ends_none_of_it) {
    auto first = write("aaaa", 0);
    settle();
    auto second = write("bbbb", 0);
    settle();
    second.stop();
    settle();
    EXPECT_FALSE(second.done());
    answer();
    answer();
    EXPECT_TRUE(second.outcome());
}

TEST_F(cancelling_writes, what_starts_cancelled_does_nothing) {
    scope tasks(home().root());
    tasks.cancel();
    std::optional<written> outcome;
    const auto late = [](ordered_writer& into, std::optional<written>& end) -> task<> {
        end = co_await into.append(bytes_of("x"));
    };
    tasks.spawn_now(late(writer(), outcome));
    settle();
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->cause, errc::cancelled);
    EXPECT_EQ(held(), "");
}

TEST_F(cancelling_writes, closing_goes_on_without_its_sync) {
    auto first = commit("abc");
    settle();
    scope tasks(home().root());
    std::optional<result<void>> outcome;
    const auto close = [](ordered_writer& what, std::optional<result<void>>& into) -> task<> {
        into = co_await what.close();
    };
    tasks.spawn_now(close(writer(), outcome));
    settle();
    tasks.cancel();
    settle();
    EXPECT_FALSE(outcome) << "the kernel still has something of the file";
    answer();
    EXPECT_EQ(held(), "s") << "for the commit";
    answer();
    EXPECT_TRUE(first.outcome());
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->error(), errc::cancelled);
    EXPECT_EQ(disk().open_handles(), 0U);
}

}  // namespace
}  // namespace upcall::testing
