// Fits find the parameters that the data was made from, and say when there is nothing to find.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "lab/fit.hpp"
#include "lab/statistics.hpp"

namespace upcall_lab {
namespace {

point at(double x, double y) { return {x, {y, y, y, 1}}; }

TEST(lab_statistics, quartiles_lie_between_the_values) {
    const spread seen = spread_of({4, 1, 3, 2, 5});
    EXPECT_DOUBLE_EQ(seen.low, 2);
    EXPECT_DOUBLE_EQ(seen.middle, 3);
    EXPECT_DOUBLE_EQ(seen.high, 4);
    EXPECT_EQ(seen.samples, 5U);
    EXPECT_DOUBLE_EQ(quantile({1, 2}, 0.5), 1.5);
    EXPECT_DOUBLE_EQ(quantile({7}, 0.99), 7);
    EXPECT_DOUBLE_EQ(quantile({}, 0.5), 0);
}

TEST(lab_statistics, ratios_are_taken_pair_by_pair) {
    const std::vector<double> above = {2, 6, 12, 1};
    const std::vector<double> below = {1, 2, 4, 0};
    const spread seen = ratio_of_pairs(above, below);
    EXPECT_EQ(seen.samples, 3U);  // nothing is divided by zero
    EXPECT_DOUBLE_EQ(seen.middle, 3);
}

TEST(lab_fit, finds_the_cost_model_that_made_the_times) {
    const cost_model made{.t0 = 1000, .s = 400, .l = 150};
    std::vector<point> threads;
    std::vector<point> loop;
    for (const double k : {1.0, 4.0, 16.0, 256.0, 10000.0}) {
        threads.push_back(at(k, made.threads(k)));
        loop.push_back(at(k, made.loop()));
    }
    const auto found = fit_cost_model(threads, loop);
    ASSERT_TRUE(found);
    EXPECT_NEAR(found->t0, 1000, 1e-6);
    EXPECT_NEAR(found->s, 400, 1e-6);
    EXPECT_NEAR(found->l, 150, 1e-6);
    EXPECT_NEAR(found->ratio(1), (1800.0 - 150) / 850, 1e-9);
    EXPECT_NEAR(found->ratio(1e12), 1800.0 / 850, 1e-9);  // levels off at (t0 + 2s)/(t0 - l)
}

TEST(lab_fit, needs_two_numbers_of_threads_and_a_loop) {
    const std::vector<point> one = {at(1, 5)};
    const std::vector<point> same = {at(4, 5), at(4, 6)};
    const std::vector<point> two = {at(1, 5), at(2, 6)};
    EXPECT_FALSE(fit_cost_model(one, one));
    EXPECT_FALSE(fit_cost_model(same, one));
    EXPECT_FALSE(fit_cost_model(two, {}));
    EXPECT_TRUE(fit_cost_model(two, one));
}

TEST(lab_fit, breaks_even_only_where_own_work_is_less_than_the_calls) {
    EXPECT_DOUBLE_EQ(break_even(400, 100).value_or(0), 400.0 / 300);
    EXPECT_DOUBLE_EQ(break_even(400, 0).value_or(0), 1);
    EXPECT_FALSE(break_even(400, 400));
    EXPECT_FALSE(break_even(400, 500));
}

TEST(lab_fit, finds_where_two_curves_cross) {
    const std::vector<point> falling = {at(1, 10), at(2, 6), at(4, 2)};
    const std::vector<point> flat = {at(1, 4), at(2, 4), at(4, 4)};
    EXPECT_DOUBLE_EQ(crossing(falling, flat).value_or(0), 3);
    EXPECT_DOUBLE_EQ(crossing(flat, falling).value_or(0), 1);  // from the first one on
    EXPECT_FALSE(crossing(falling, {at(1, 1), at(2, 1), at(4, 1)}));
    EXPECT_FALSE(crossing({}, {}));
}

TEST(lab_fit, finds_the_knee) {
    const std::vector<point> rising = {at(1, 10), at(4, 38), at(16, 99), at(64, 100)};
    EXPECT_DOUBLE_EQ(knee(rising, 0.95).value_or(0), 16);
    EXPECT_DOUBLE_EQ(knee(rising, 1).value_or(0), 64);
    EXPECT_FALSE(knee({}, 0.95));
}

TEST(lab_fit, names_the_worst_misfit_with_its_sign) {
    const std::vector<point> measured = {at(1, 110), at(2, 70), at(3, 100)};
    const misfit worst = worst_misfit(measured, [](double) { return 100.0; });
    EXPECT_DOUBLE_EQ(worst.x, 2);
    EXPECT_NEAR(worst.part, -0.3, 1e-12);
    // A model that expects nothing is not divided by.
    EXPECT_DOUBLE_EQ(worst_misfit(measured, [](double) { return 0.0; }).part, 0);
}

}  // namespace
}  // namespace upcall_lab
