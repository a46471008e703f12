// What is kept of failures: each saved run passes now, and the bug that it was saved for makes it
// fail. A case is a stream of choices, and code that draws others makes another run of it: some go
// blind with time. When most have, tools/saved-cases makes them anew.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "sim/find_bugs.hpp"
#include "sim/planted.hpp"
#include "support/tree.hpp"

namespace upcall_sim {
namespace {

namespace fs = std::filesystem;
using namespace upcall;

struct saved_case {
    const suite* in;
    std::string bug;
    sim::report failed;
};

/// The bug that a file is named after: letters as they are, and "_" for anything else.
std::string bug_behind(const suite& in, const std::string& stem) {
    for (const std::string& name : bugs_of(in)) {
        std::string plain = name;
        std::ranges::replace_if(plain, [](char one) { return one < 'a' || one > 'z'; }, '_');
        if (plain == stem) return name;
    }
    ADD_FAILURE() << "no bug is called " << stem;
    return {};
}

std::vector<saved_case> all_cases() {
    std::vector<saved_case> all;
    for (const suite& each : all_suites()) {
        const fs::path folder =
            fs::path(test::source_dir) / "tests/suites/saved" / std::string(each.name);
        for (const auto& one : fs::directory_iterator(folder)) {
            auto read = sim::load(one.path().string());
            if (!read) {
                ADD_FAILURE() << one.path() << ": " << read.error().message();
                continue;
            }
            all.push_back({&each, bug_behind(each, one.path().stem().string()), std::move(*read)});
        }
    }
    std::ranges::sort(all, {}, &saved_case::bug);
    return all;
}

sim::report run_again(const saved_case& one) {
    return sim::replay(one.in->run, one.failed, one.in->options);
}

TEST(saved_cases, pass_on_what_was_mended) {
    const auto all = all_cases();
    EXPECT_GE(all.size(), 8U);
    plant(bug::none);
    for (const saved_case& one : all) {
        const sim::report seen = run_again(one);
        EXPECT_TRUE(seen.ok()) << one.bug << ": " << seen.text();
    }
}

TEST(saved_cases, fail_again_with_the_bug_that_they_are_kept_for) {
    const auto all = all_cases();
    std::size_t seeing = 0;
    for (const saved_case& one : all) {
        const auto plant_it = planter_of(*one.in, one.bug);
        ASSERT_TRUE(plant_it) << "there is no bug \"" << one.bug << '"';
        plant_it();
        const sim::report seen = run_again(one);
        plant(bug::none);
        if (!seen.ok())
            ++seeing;
        else
            std::cout << one.bug << ": no longer fails with its bug\n";
    }
    EXPECT_GT(seeing * 2, all.size()) << "make them anew: tools/saved-cases";
}

}  // namespace
}  // namespace upcall_sim
