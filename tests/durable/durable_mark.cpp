// What a sync covers, whom it serves, and what holds after one that failed.
#include "held_disk.hpp"

namespace upcall::testing {
namespace {

class durable_mark : public on_a_held_disk {};

TEST_F(durable_mark, a_commit_is_a_write_and_then_a_sync) {
    auto first = commit("abc");
    settle();
    EXPECT_EQ(held(), "w0:abc");
    answer();
    EXPECT_EQ(held(), "s");
    EXPECT_FALSE(first.done());
    EXPECT_EQ(writer().durable_mark(), 0U);
    answer();
    EXPECT_TRUE(first.outcome());
    EXPECT_EQ(first.outcome().mark, 1U);
    EXPECT_EQ(writer().durable_mark(), 1U);
}

TEST_F(durable_mark, a_write_alone_is_not_synced) {
    auto first = append("abc");
    settle();
    answer();
    EXPECT_TRUE(first.outcome());
    EXPECT_EQ(held(), "");
    EXPECT_EQ(writer().durable_mark(), 0U);
    auto last = sync();
    settle();
    EXPECT_EQ(held(), "s");
    answer();
    EXPECT_TRUE(last.outcome());
    EXPECT_EQ(writer().durable_mark(), 1U);
    auto again = sync();
    settle();
    EXPECT_TRUE(again.outcome()) << "nothing is left to sync";
}

TEST_F(durable_mark, one_sync_serves_all_who_wait) {
    std::vector<std::unique_ptr<started<decltype(writer().commit({}))>>> all;
    for (int count = 0; count < 64; ++count)
        all.push_back(std::make_unique<started<decltype(writer().commit({}))>>(
            home(), writer().commit(bytes_of("x"))));
    settle();
    answer();
    EXPECT_EQ(held(), "s");
    answer();
    EXPECT_EQ(held(), "");
    for (auto& one : all) EXPECT_TRUE(one->outcome());
    EXPECT_EQ(writer().durable_mark(), 64U);
}

TEST_F(durable_mark, a_sync_covers_what_had_ended_when_it_began) {
    auto first = commit("a");
    settle();
    answer();
    EXPECT_EQ(held(), "s");
    auto second = commit("b");
    settle();
    EXPECT_EQ(held(), "s w1:b");
    answer(1);
    EXPECT_EQ(held(), "s") << "one at a time";
    answer();
    EXPECT_TRUE(first.outcome());
    EXPECT_FALSE(second.done()) << "its bytes came after that sync had begun";
    EXPECT_EQ(writer().durable_mark(), 1U);
    EXPECT_EQ(held(), "s");
    answer();
    EXPECT_TRUE(second.outcome());
}

TEST_F(durable_mark, a_sync_waits_for_the_writes_started_before_it) {
    auto first = write("aa", 0);
    auto second = write("bb", 10);
    settle();
    auto last = sync();
    settle();
    EXPECT_EQ(held(), "w0:aa w10:bb");
    answer(1);
    EXPECT_EQ(held(), "w0:aa");
    answer();
    EXPECT_EQ(held(), "s");
    answer();
    EXPECT_TRUE(last.outcome());
}

TEST_F(durable_mark, later_writes_do_not_put_a_sync_off) {
    auto first = commit("a");
    settle();
    auto second = write("b", 10);
    settle();
    answer();
    EXPECT_EQ(held(), "w10:b s") << "the second is not waited for";
    answer(1);
    EXPECT_TRUE(first.outcome());
    EXPECT_EQ(writer().durable_mark(), 1U);
    answer();
}

TEST_F(durable_mark, those_that_go_on_together_are_one_group) {
    const auto twice = [](ordered_writer& into) -> task<> {
        EXPECT_TRUE(co_await into.commit(bytes_of("a")));
        EXPECT_TRUE(co_await into.commit(bytes_of("b")));
    };
    scope tasks(home().root());
    for (int count = 0; count < 8; ++count) tasks.spawn_now(twice(writer()));
    settle();
    answer();
    EXPECT_EQ(held(), "s");
    answer();
    EXPECT_EQ(held(), "w8:bbbbbbbb");
    answer();
    EXPECT_EQ(held(), "s");
    answer();
    EXPECT_EQ(tasks.size(), 0U);
}

TEST_F(durable_mark, a_failed_sync_is_told_to_all_who_waited_for_it) {
    auto first = commit("a");
    auto second = commit("b");
    auto waits = sync();
    settle();
    answer();
    auto late = commit("c");
    settle();
    EXPECT_EQ(held(), "s w2:c");
    answer(0, -EIO);
    EXPECT_EQ(first.outcome().cause, std::errc::io_error);
    EXPECT_EQ(first.outcome().bytes, 1U);
    EXPECT_EQ(second.outcome().cause, std::errc::io_error);
    EXPECT_EQ(waits.outcome().error(), std::errc::io_error);
    EXPECT_FALSE(late.done()) << "the kernel still has its bytes";
    answer();
    EXPECT_EQ(late.outcome().cause, errc::not_durable);
    EXPECT_EQ(late.outcome().bytes, 1U);
    EXPECT_EQ(held(), "") << "no second sync, whose success would prove nothing";
}

TEST_F(durable_mark, after_a_failed_sync_nothing_is_claimed_any_more) {
    auto first = commit("a");
    settle();
    answer();
    answer();
    auto second = commit("b");
    settle();
    answer();
    answer(0, -ENOSPC);
    EXPECT_EQ(second.outcome().cause, std::errc::no_space_on_device);
    for (int count = 0; count < 2; ++count) {
        auto third = append("c");
        auto fourth = commit("d");
        auto fifth = sync();
        settle();
        EXPECT_EQ(third.outcome().cause, errc::not_durable);
        EXPECT_EQ(third.outcome().bytes, 0U);
        EXPECT_EQ(fourth.outcome().cause, errc::not_durable);
        EXPECT_EQ(fifth.outcome().error(), errc::not_durable);
    }
    EXPECT_EQ(held(), "");
    EXPECT_EQ(writer().broken(), errc::not_durable);
    EXPECT_EQ(writer().durable_mark(), 1U) << "what was durable before still is";
}

TEST_F(durable_mark, the_mark_never_passes_a_write_that_was_cut_short) {
    auto first = commit("a");
    settle();
    auto second = write("b", 10);
    settle();
    auto third = commit("c");
    settle();
    EXPECT_EQ(held(), "w0:a w10:b w11:c");
    answer(2);
    answer(1, -EIO);
    EXPECT_EQ(second.outcome().cause, std::errc::io_error);
    EXPECT_EQ(third.outcome().cause, errc::broken_stream) << "who reads up to the gap loses it";
    EXPECT_EQ(third.outcome().bytes, 1U);
    EXPECT_FALSE(first.done());
    answer();
    EXPECT_EQ(held(), "s") << "what lies before the gap can still be made durable";
    answer();
    EXPECT_TRUE(first.outcome());
    EXPECT_EQ(writer().durable_mark(), 1U);
}

TEST_F(durable_mark, closing_syncs_what_is_not_durable) {
    auto first = append("abc");
    settle();
    answer();
    scope tasks(home().root());
    std::optional<result<void>> outcome;
    const auto close = [](ordered_writer& what, std::optional<result<void>>& into) -> task<> {
        into = co_await what.close();
    };
    tasks.spawn_now(close(writer(), outcome));
    settle();
    EXPECT_EQ(held(), "s");
    EXPECT_FALSE(writer());
    answer();
    ASSERT_TRUE(outcome);
    EXPECT_TRUE(*outcome);
    EXPECT_EQ(disk().open_handles(), 0U);
}

// Went wrong: with as many waiting as may wait, the sync of `close` was refused, and what they
// wrote was not made durable.
TEST_F(durable_mark, closing_syncs_behind_as_many_as_may_wait) {
    ordered_writer narrow;
    in_task([&] { narrow = ordered_writer::over(disk().open(), 0, {.waiting_max = 1}).value(); });
    started first(home(), narrow.append(bytes_of("abc")));
    settle();
    EXPECT_EQ(held(), "w0:abc");
    scope tasks(home().root());
    std::optional<result<void>> outcome;
    const auto close = [](ordered_writer& what, std::optional<result<void>>& into) -> task<> {
        into = co_await what.close();
    };
    tasks.spawn_now(close(narrow, outcome));
    settle();
    answer();
    EXPECT_TRUE(first.outcome());
    ASSERT_EQ(held(), "s");
    answer();
    ASSERT_TRUE(outcome);
    EXPECT_TRUE(*outcome);
}

TEST_F(durable_mark, a_writer_that_goes_away_ends_who_waits_and_leaves_the_kernel_its_bytes) {
    auto first = commit("a");
    settle();
    auto second = append("b");
    auto third = sync();
    in_task([this] { renew_writer(false); });
    EXPECT_EQ(held(), "w0:a");
    EXPECT_EQ(second.outcome().cause, errc::closed);
    EXPECT_EQ(third.outcome().error(), errc::closed);
    EXPECT_FALSE(first.done());
    answer();
    EXPECT_EQ(first.outcome().cause, errc::closed);
    EXPECT_EQ(first.outcome().bytes, 1U);
    EXPECT_EQ(disk().open_handles(), 1U) << "the file is closed when the kernel is done with it";
}

// ---- durable writes ---------------------------------------------------------------------------

class through_the_cache : public on_a_held_disk {
  protected:
    void SetUp() override {
        on_a_held_disk::SetUp();
        in_task([this] { renew_writer(true); });
    }
};

TEST_F(through_the_cache, a_commit_alone_needs_no_sync) {
    EXPECT_EQ(writer().way(), sync_way::write_through);
    auto first = commit("abc");
    settle();
    EXPECT_EQ(held(), "t0:abc");
    answer();
    EXPECT_EQ(held(), "");
    EXPECT_TRUE(first.outcome());
    EXPECT_EQ(writer().durable_mark(), 1U);
}

TEST_F(through_the_cache, those_who_come_meanwhile_are_the_next_group) {
    auto first = commit("a");
    settle();
    auto second = commit("b");
    auto third = commit("c");
    settle();
    EXPECT_EQ(held(), "t0:a");
    answer();
    EXPECT_EQ(held(), "t1:bc");
    EXPECT_TRUE(first.outcome());
    answer();
    EXPECT_TRUE(second.outcome());
    EXPECT_TRUE(third.outcome());
    EXPECT_EQ(writer().durable_mark(), 3U);
}

TEST_F(through_the_cache, a_commit_behind_writes_that_are_not_durable_takes_them_along) {
    auto first = append("a");
    settle();
    answer();
    auto second = commit("b");
    settle();
    EXPECT_EQ(held(), "w1:b") << "durable alone it would lie behind a gap";
    answer();
    EXPECT_EQ(held(), "s");
    answer();
    EXPECT_TRUE(second.outcome());
    EXPECT_EQ(writer().durable_mark(), 2U);
    auto third = commit("c");
    settle();
    EXPECT_EQ(held(), "t2:c");
    answer();
}

TEST_F(through_the_cache, a_plain_write_does_not_wait_for_a_durable_one) {
    auto first = commit("a");
    settle();
    auto second = append("b");
    settle();
    EXPECT_EQ(held(), "t0:a w1:b");
    answer(1);
    EXPECT_TRUE(second.outcome());
    EXPECT_EQ(writer().durable_mark(), 0U);
    answer();
    EXPECT_TRUE(first.outcome());
    EXPECT_EQ(writer().durable_mark(), 1U);
}

TEST_F(through_the_cache, a_durable_write_that_fails_is_a_failed_sync) {
    auto first = commit("a");
    settle();
    auto second = commit("b");
    settle();
    answer(0, -EIO);
    EXPECT_EQ(first.outcome().cause, std::errc::io_error);
    EXPECT_EQ(second.outcome().cause, errc::not_durable);
    EXPECT_EQ(writer().broken(), errc::not_durable);
    EXPECT_EQ(held(), "");
}

}  // namespace
}  // namespace upcall::testing
