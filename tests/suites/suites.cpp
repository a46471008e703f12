// The programs that `upcall sim` runs survive what they are put through, and those with planted
// bugs are found out. The command says so, and runs a saved failure again.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <string>
#include <vector>

#include "sim/bulk.hpp"
#include "sim/planted.hpp"
#include "sim/sim.hpp"
#include "support/scratch_folder.hpp"

namespace upcall_sim {
namespace {

using upcall::testing::scratch_folder;

bulk_outcome run(const suite& which, std::uint64_t seeds, bug planted = bug::none) {
    bulk_options how;
    how.count = seeds;
    how.twice = planted == bug::none;
    how.prepare = [planted] { plant(planted); };
    bulk_outcome seen = run_bulk(which, how);
    plant(bug::none);
    return seen;
}

int command(std::initializer_list<std::string> words) {
    std::vector<std::string> all{"sim"};
    all.insert(all.end(), words);
    std::vector<char*> pointers;
    for (std::string& one : all) pointers.push_back(one.data());
    pointers.push_back(nullptr);
    return sim_main(static_cast<int>(all.size()), pointers.data());
}

TEST(sim_suites, race_survives) {
    const bulk_outcome seen = run(race_suite(), 1000);
    EXPECT_FALSE(seen.failure) << seen.failure->text();
    for (const probe one : race_suite().probes) EXPECT_GT(times_reached(one), 0U) << name_of(one);
}

TEST(sim_suites, system_survives_and_has_work_to_do) {
    const bulk_outcome seen = run(system_suite(), 20);
    EXPECT_FALSE(seen.failure) << seen.failure->text();
    EXPECT_GE(seen.outcomes / seen.seeds, 20'000U);
}

class planted_bug : public testing::TestWithParam<bug> {};

TEST_P(planted_bug, is_found) {
    const suite in = GetParam() >= bug::reads_then_writes ? race_suite() : system_suite();
    EXPECT_TRUE(run(in, 1000, GetParam()).failure) << name_of(GetParam());
}

// Each in a few hundred seeds: most of them take far fewer.
class planted_in_server : public testing::TestWithParam<const char*> {};

TEST_P(planted_in_server, is_found) {
    bulk_options how;
    how.count = 1000;
    how.twice = false;
    how.prepare = [] { plant_below(GetParam()); };
    const bulk_outcome seen = run_bulk(system_suite(), how);
    plant(bug::none);
    EXPECT_TRUE(seen.failure) << GetParam();
}

class planted_in_runtime : public testing::TestWithParam<const char*> {};

TEST_P(planted_in_runtime, is_found) {
    bulk_options how;
    how.count = 1000;
    how.twice = false;
    how.prepare = [] { plant_below(GetParam()); };
    const bulk_outcome seen = run_bulk(race_suite(), how);
    plant(bug::none);
    EXPECT_TRUE(seen.failure) << GetParam();
}

std::string name_of_test(const testing::TestParamInfo<const char*>& one) {
    std::string name = one.param;
    std::ranges::replace(name, ' ', '_');
    return name;
}

INSTANTIATE_TEST_SUITE_P(bugs, planted_in_server, testing::ValuesIn(server_bugs()), name_of_test);
INSTANTIATE_TEST_SUITE_P(bugs, planted_in_runtime, testing::ValuesIn(runtime_bugs()), name_of_test);

INSTANTIATE_TEST_SUITE_P(in_the_log, planted_bug,
                         testing::Values(bug::acks_before_sync, bug::forgets_new_name,
                                         bug::trusts_repeated_sync, bug::drops_the_last_record));
INSTANTIATE_TEST_SUITE_P(in_the_echo, planted_bug,
                         testing::Values(bug::echo_writes_once, bug::client_keeps_old_bytes));
INSTANTIATE_TEST_SUITE_P(in_races, planted_bug,
                         testing::Values(bug::reads_then_writes, bug::drops_late_values,
                                         bug::misses_a_wake_up, bug::locks_in_any_order));

TEST(sim_command, runs_a_saved_failure_again) {
    const scratch_folder folder;
    const std::string path = folder / "case";
    plant(bug::locks_in_any_order);
    EXPECT_EQ(command({"--suite", "race", "--jobs", "1", "--save", path}), 1);
    EXPECT_EQ(command({"--suite", "race", "--replay", path}), 1);
    plant(bug::none);
    EXPECT_EQ(command({"--suite", "race", "--replay", path}), 0) << "mended";
}

TEST(sim_command, refuses_what_it_cannot_do) {
    EXPECT_EQ(command({"--help"}), 0);
    EXPECT_EQ(command({"--suite", "race", "--seeds", "20", "--jobs", "2"}), 0);
    EXPECT_EQ(command({"--suite", "other"}), 2);
    EXPECT_EQ(command({"--seeds", "0"}), 2);
    EXPECT_EQ(command({"--unknown"}), 2);
    EXPECT_EQ(command({"--replay", "/nonexistent/case"}), 2);
}

std::string refused(std::initializer_list<std::string> words) {
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(command(words), 2);
    const std::string text = ::testing::internal::GetCapturedStderr();
    return text.substr(0, text.find('\n'));
}

// Went wrong: -1 was 18446744073709551615, and so was whatever did not fit.
TEST(sim_command, names_the_input_and_the_limit) {
    for (const char* flag : {"--seeds", "--jobs"}) {
        const std::string most = flag == std::string("--jobs") ? "1024" : "18446744073709551615";
        for (const char* text : {"-1", "0", "x", "1.5", "99999999999999999999"})
            EXPECT_EQ(refused({flag, text}), "upcall sim: " + std::string(flag) + ": '" + text +
                                                 "' is not a number from 1 to " + most);
    }
    EXPECT_EQ(refused({"--first", "-1"}),
              "upcall sim: --first: '-1' is not a number from 0 to 18446744073709551615");
    EXPECT_EQ(refused({"--suite", "other"}),
              "upcall sim: --suite: 'other' is none of race, system");
    EXPECT_EQ(refused({"--seeds"}), "upcall sim: --seeds needs a value");
    EXPECT_EQ(refused({"word"}), "upcall sim: 'word' is one argument too many");
    EXPECT_EQ(refused({"--fresh", "--first", "3"}),
              "upcall sim: --first and --fresh both say with which seed to begin");
    ::setenv("UPCALL_FIRST_SEED", "none", 1);
    EXPECT_EQ(
        refused({"--fresh"}),
        "upcall sim: UPCALL_FIRST_SEED: 'none' is not a number from 0 to 18446744073709551615");
    ::unsetenv("UPCALL_FIRST_SEED");
}

}  // namespace
}  // namespace upcall_sim
