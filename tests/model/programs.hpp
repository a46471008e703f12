// What the programs of the model share: the test that runs one, and a loop whose kernel is the
// checker.
#pragma once

#include <cstdio>
#include <memory>
#include <utility>

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

/// As a test: NAME is a program for so many THREADS.
#define MODEL_PROGRAM(room, name, threads) \
    TEST(room, name) { model::expect_good<name>(#room "/" #name, threads); }

}  // namespace model
