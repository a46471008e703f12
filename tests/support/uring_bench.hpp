// What tests of io_uring alone run on; they are skipped where the host has none.
#pragma once

#include <gtest/gtest.h>

#include <optional>

#include "support/bench_drivers.hpp"

namespace upcall::test {

class uring_bench : public ::testing::Test {
  protected:
    void SetUp() override {
        ready_queue ready;
        buffer_pool buffers({4096, 64, 65536, 8});
        auto made =
            make_driver({.name = "uring", .uring = {}}, {.ready = &ready, .buffers = &buffers});
        if (!made) GTEST_SKIP() << "no io_uring here: " << made.error().message();
        made->reset();
        bench_.emplace(host_driver("uring").make);
    }
    void TearDown() override { bench_.reset(); }

    driver_bench& bench() { return *bench_; }

  private:
    std::optional<driver_bench> bench_;
};

}  // namespace upcall::test
