// What the programs of the model share: the test that runs one, and a loop whose kernel is the
// checker.
#pragma once

#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <upcall/loop/loop.hpp>

#include "model/checker/checker.hpp"

namespace model {

/// Explores a program, prints how many executions there were, and expects them all to be good.
template <class Program>
outcome expect_good(const char* name, unsigned threads) {
    outcome all = explore<Program>(threads);
    std::printf("%s: %llu executions, %llu repeated, up to %zu steps\n", name,
                static_cast<unsigned long long>(all.executions),
                static_cast<unsigned long long>(all.repeated), all.steps_max);
    EXPECT_EQ(all.failure, "");
    return all;
}

/// A program that was declared, to run it again with an order weakened.
struct known_program {
    const char* group;
    const char* name;
    unsigned threads;
    program* (*make)();
};
inline std::vector<known_program>& known_programs() {
    static std::vector<known_program> all;
    return all;
}
inline bool know(const known_program& one) {
    known_programs().push_back(one);
    return true;
}

/// As a test: NAME is a program for so many THREADS.
#define MODEL_PROGRAM(group, name, threads)                                    \
    TEST(group, name) { model::expect_good<name>(#group "/" #name, threads); } \
    [[maybe_unused]] const bool name##_is_known =                              \
        model::know({#group, #name, threads, []() -> model::program* { return new name; }});

}  // namespace model
