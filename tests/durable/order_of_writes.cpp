// Which writes wait for which, and which go to the kernel together.
#include "held_disk.hpp"

namespace upcall::testing {
namespace {

class order_of_writes : public on_a_held_disk {};

TEST_F(order_of_writes, those_that_overlap_wait_for_each_other) {
    auto first = write("aaaa", 0);
    settle();
    auto second = write("bbbb", 2);
    auto third = write("cccc", 4);
    settle();
    EXPECT_EQ(held(), "w0:aaaa");
    answer();
    EXPECT_TRUE(first.done());
    EXPECT_EQ(held(), "w2:bbbb") << "the third overlaps what waits, and waits for it";
    answer();
    EXPECT_EQ(held(), "w4:cccc");
    answer();
    EXPECT_TRUE(third.outcome());
    EXPECT_EQ(second.outcome().mark, 2U);
}

TEST_F(order_of_writes, those_that_do_not_overlap_run_side_by_side) {
    auto first = write("aaaa", 0);
    auto second = write("bbbb", 100);
    auto third = write("cc", 50);
    settle();
    EXPECT_EQ(held(), "w0:aaaa w100:bbbb w50:cc");
    answer(2);
    answer(1);
    EXPECT_TRUE(second.done());
    EXPECT_TRUE(third.done());
    EXPECT_FALSE(first.done());
    answer();
}

TEST_F(order_of_writes, one_that_is_blocked_holds_up_nobody_else) {
    auto first = write("aaaa", 0);
    settle();
    auto second = write("bbbb", 0);
    auto third = write("cccc", 8);
    settle();
    EXPECT_EQ(held(), "w0:aaaa w8:cccc");
    answer();
    EXPECT_EQ(held(), "w8:cccc w0:bbbb");
    answer();
    answer();
}

TEST_F(order_of_writes, appends_that_come_together_go_together) {
    auto first = append("one ");
    auto second = append("two ");
    auto third = append("three ");
    settle();
    EXPECT_EQ(held(), "w0:one two three ");
    auto fourth = append("four");
    settle();
    EXPECT_EQ(held(), "w0:one two three  w14:four") << "and nobody waits for a batch to end";
    EXPECT_EQ(writer().end(), 18U);
    answer();
    EXPECT_EQ(first.outcome().offset, 0U);
    EXPECT_EQ(second.outcome().offset, 4U);
    EXPECT_EQ(third.outcome().offset, 8U);
    EXPECT_EQ(third.outcome().bytes, 6U);
    answer();
    EXPECT_EQ(fourth.outcome().offset, 14U);
}

TEST_F(order_of_writes, an_append_goes_behind_a_write_past_the_end) {
    auto first = write("aaaa", 10);
    auto second = append("bb");
    settle();
    EXPECT_EQ(held(), "w10:aaaabb");
    answer();
    auto third = write("cc", 0);
    auto fourth = append("dd");
    settle();
    EXPECT_EQ(held(), "w0:cc w16:dd");
    answer();
    answer();
}

TEST_F(order_of_writes, an_append_waits_for_all_that_is_queued_before_it) {
    auto first = write("aaaa", 0);
    settle();
    auto second = write("bbbbbb", 2);
    auto third = append("cc");
    auto fourth = write("dddd", 6);
    settle();
    EXPECT_EQ(held(), "w0:aaaa") << "the append is to begin where the second ends";
    answer();
    EXPECT_EQ(held(), "w2:bbbbbbcc");
    answer();
    EXPECT_EQ(third.outcome().offset, 8U);
    EXPECT_EQ(held(), "w6:dddd");
    answer();
}

TEST_F(order_of_writes, a_short_write_goes_on) {
    auto first = append("abc");
    auto second = append("defg");
    settle();
    answer(0, 4);
    EXPECT_EQ(held(), "w4:efg");
    EXPECT_FALSE(first.done()) << "all of a batch ends together";
    answer(0, 1);
    EXPECT_EQ(held(), "w5:fg");
    answer();
    EXPECT_TRUE(first.outcome());
    EXPECT_EQ(second.outcome().bytes, 4U);
}

TEST_F(order_of_writes, writes_of_nothing_end_at_once) {
    auto first = append("");
    auto second = write("", 7);
    settle();
    EXPECT_EQ(held(), "");
    EXPECT_TRUE(first.outcome());
    EXPECT_TRUE(second.outcome());
    EXPECT_EQ(writer().end(), 0U);
}

TEST_F(order_of_writes, at_most_eight_batches_are_in_flight) {
    std::vector<std::unique_ptr<started<decltype(writer().write_at({}, 0))>>> all;
    for (std::uint64_t at = 0; at < 10; ++at)
        all.push_back(std::make_unique<started<decltype(writer().write_at({}, 0))>>(
            home(), writer().write_at(bytes_of("x"), at * 10)));
    settle();
    EXPECT_EQ(disk().held.size(), 8U);
    answer();
    EXPECT_EQ(disk().held.size(), 8U);
    while (!disk().held.empty()) answer();
    for (auto& one : all) EXPECT_TRUE(one->outcome());
}

TEST_F(order_of_writes, a_batch_has_bounds) {
    const std::string large(std::size_t{700} << 10, 'x');
    auto first = append(large);
    auto second = append(large);
    settle();
    EXPECT_EQ(disk().held.size(), 2U) << "together they are too long";
    answer();
    answer();
    std::vector<std::unique_ptr<started<decltype(writer().append({}))>>> all;
    for (int count = 0; count < 70; ++count)
        all.push_back(std::make_unique<started<decltype(writer().append({}))>>(
            home(), writer().append(bytes_of("y"))));
    settle();
    EXPECT_EQ(disk().held.size(), 2U);
    EXPECT_EQ(disk().held.at(0).text().size(), 64U);
    answer();
    answer();
}

TEST_F(order_of_writes, what_follows_a_write_that_was_cut_short_is_refused) {
    auto first = write("aaaa", 0);
    auto second = append("bbbb");
    auto third = append("cccc");
    settle();
    EXPECT_EQ(held(), "w0:aaaabbbbcccc");
    auto waits = write("dd", 0);
    settle();
    answer(0, 6);
    answer(0, -ENOSPC);
    EXPECT_TRUE(first.outcome()) << "it was whole";
    EXPECT_EQ(second.outcome().cause, std::errc::no_space_on_device);
    EXPECT_EQ(second.outcome().bytes, 2U);
    EXPECT_EQ(third.outcome().cause, std::errc::no_space_on_device);
    EXPECT_EQ(third.outcome().bytes, 0U);
    EXPECT_EQ(waits.outcome().cause, errc::broken_stream);
    EXPECT_EQ(writer().broken(), errc::broken_stream);
    auto late = append("ee");
    settle();
    EXPECT_EQ(late.outcome().cause, errc::broken_stream);
    EXPECT_EQ(held(), "");
}

TEST_F(order_of_writes, a_disk_that_takes_nothing_is_full) {
    auto first = append("abc");
    settle();
    answer(0, 0);
    EXPECT_EQ(first.outcome().cause, std::errc::no_space_on_device);
}

TEST_F(order_of_writes, offsets_that_no_file_has_are_refused) {
    auto first = write("x", std::uint64_t{1} << 63);
    auto second = write("xy", (std::uint64_t{1} << 63) - 2);
    settle();
    EXPECT_EQ(first.outcome().cause, std::errc::invalid_argument);
    EXPECT_EQ(second.outcome().cause, std::errc::invalid_argument);
    EXPECT_EQ(held(), "");
    EXPECT_FALSE(writer().broken()) << "nothing was written, so nothing is missing";
}

TEST_F(order_of_writes, more_than_may_wait_are_refused) {
    ordered_writer narrow;
    in_task([&] {
        narrow = ordered_writer::over(disk().open(), 0, {.waiting_max = 2}).value();
        EXPECT_EQ(ordered_writer::over(disk().open(), 0, {.waiting_max = 0}).error(),
                  std::errc::invalid_argument);
    });
    started first(home(), narrow.append(bytes_of("a")));
    started second(home(), narrow.append(bytes_of("b")));
    started third(home(), narrow.append(bytes_of("c")));
    settle();
    EXPECT_EQ(third.outcome().cause, errc::queue_full);
    EXPECT_EQ(held(), "w0:ab");
    answer();
    started fourth(home(), narrow.append(bytes_of("d")));
    settle();
    EXPECT_EQ(held(), "w2:d") << "there is room again, and no gap";
    answer();
}

TEST_F(order_of_writes, an_empty_writer_is_closed) {
    ordered_writer none;
    EXPECT_FALSE(none);
    EXPECT_EQ(none.broken(), errc::closed);
    started first(home(), none.append(bytes_of("a")));
    started second(home(), none.sync());
    settle();
    EXPECT_EQ(first.outcome().cause, errc::closed);
    EXPECT_EQ(second.outcome().error(), errc::closed);
}

}  // namespace
}  // namespace upcall::testing
