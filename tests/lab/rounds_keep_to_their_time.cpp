// An experiment repeats itself as often as it was planned to, or as often as its time allows.
#include <gtest/gtest.h>

#include "lab/round_budget.hpp"

namespace upcall_lab {
namespace {

/// How many of `wanted` rounds there are, of which each takes so long.
std::size_t rounds_of(double each, std::size_t wanted, double seconds, double before = 0) {
    round_budget budget(seconds);
    std::size_t round = 0;
    while (budget.allows(round, wanted, before + each * static_cast<double>(round))) ++round;
    EXPECT_EQ(budget.done(), round);
    EXPECT_EQ(budget.wanted(), wanted);
    return round;
}

TEST(round_budget, allows_what_was_planned_where_there_is_time) {
    EXPECT_EQ(rounds_of(1, 5, 100), 5U);
    EXPECT_EQ(rounds_of(1, 5, 5), 5U);
}

TEST(round_budget, begins_no_round_that_would_end_too_late) {
    EXPECT_EQ(rounds_of(2, 5, 9), 4U);
    EXPECT_EQ(rounds_of(2, 5, 7.9), 3U);
    EXPECT_EQ(rounds_of(2, 5, 9, 3), 3U) << "what came before the first counts";
}

TEST(round_budget, allows_one_round_always) {
    EXPECT_EQ(rounds_of(10, 5, 1), 1U);
    EXPECT_EQ(rounds_of(10, 5, 0), 1U);
    EXPECT_EQ(rounds_of(1, 1, 0, 50), 1U);
}

TEST(round_budget, goes_by_the_longest_round) {
    round_budget budget(10);
    EXPECT_TRUE(budget.allows(0, 9, 0));
    EXPECT_TRUE(budget.allows(1, 9, 4));
    EXPECT_TRUE(budget.allows(2, 9, 5));
    EXPECT_FALSE(budget.allows(3, 9, 6.5)) << "the first took 4";
}

TEST(round_budget, shares_what_is_left_as_planned) {
    EXPECT_DOUBLE_EQ(share_of(60, 10, 60), 10);
    EXPECT_DOUBLE_EQ(share_of(40, 10, 50), 8) << "others took longer";
    EXPECT_DOUBLE_EQ(share_of(-3, 10, 50), 0);
    EXPECT_DOUBLE_EQ(share_of(10, 10, 10), 10) << "the last has all of it";
}

}  // namespace
}  // namespace upcall_lab
