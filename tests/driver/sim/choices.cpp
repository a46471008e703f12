// A stream of choices can be recorded, replayed and edited.
#include <gtest/gtest.h>

#include <vector>

#include <upcall/driver/choices.hpp>

namespace upcall {
namespace {

using numbers = std::vector<std::uint64_t>;

numbers draw_some(choices& from) {
    numbers drawn;
    for (std::uint64_t bound = 1; bound < 50; ++bound) drawn.push_back(from.below(bound));
    for (int at = 0; at < 10; ++at) drawn.push_back(from.chance(300'000));
    drawn.push_back(from.any());
    return drawn;
}

TEST(sim_choices, are_the_same_from_the_same_seed) {
    choices one(7);
    choices same(7);
    choices other(8);
    const auto drawn = draw_some(one);
    EXPECT_EQ(drawn, draw_some(same));
    EXPECT_NE(drawn, draw_some(other));
}

TEST(sim_choices, are_replayed_from_their_record) {
    choices first(7);
    const auto drawn = draw_some(first);
    choices again(numbers(first.recorded().begin(), first.recorded().end()));
    EXPECT_EQ(drawn, draw_some(again));
    EXPECT_EQ(first.drawn(), again.drawn());
}

TEST(sim_choices, stay_in_bounds_when_the_record_was_edited) {
    choices edited(numbers{1000, 7, UINT64_MAX});
    EXPECT_EQ(edited.below(10), 0U);
    EXPECT_EQ(edited.below(5), 2U);
    EXPECT_LT(edited.below(3), 3U);
}

TEST(sim_choices, are_the_plainest_past_the_end_of_the_record) {
    choices none((numbers()));
    EXPECT_EQ(none.below(100), 0U);
    EXPECT_FALSE(none.chance(999'999));
    EXPECT_EQ(none.within({duration(3), duration(9)}), duration(3));
}

TEST(sim_choices, are_not_drawn_where_there_is_no_choice) {
    choices some(1);
    EXPECT_EQ(some.below(0), 0U);
    EXPECT_EQ(some.below(1), 0U);
    EXPECT_FALSE(some.chance(0));
    EXPECT_EQ(some.within({duration(5), duration(5)}), duration(5));
    EXPECT_EQ(some.drawn(), 0U);
}

TEST(sim_choices, happen_as_often_as_they_should) {
    choices some(1);
    some.forget();
    int hits = 0;
    for (int at = 0; at < 100'000; ++at) hits += some.chance(100'000);
    EXPECT_GT(hits, 9'000);
    EXPECT_LT(hits, 11'000);
    EXPECT_TRUE(some.recorded().empty());
    EXPECT_TRUE(some.chance(1'000'000));
}

}  // namespace
}  // namespace upcall
