// A fixture for what a real kernel is needed for: a loop over each driver of this host, and a look
// at what is left of descriptors.
//
//     class udp_socket : public io_test {};
//     UPCALL_FOR_EVERY_LOOP(udp_socket);
//     TEST_P(udp_socket, keeps_boundaries) {
//         run([&]() -> task<> { … co_await …; });
//     }
#pragma once

#include <vector>

#include "support/descriptors.hpp"
#include "support/loop_test.hpp"

namespace upcall::testing {

/// One body per driver. At its end no descriptor is left.
class io_test : public loop_test {
  protected:
    void SetUp() override {
        before_ = open_descriptors();
        loop_test::SetUp();
    }
    void TearDown() override {
        loop_test::TearDown();
        EXPECT_EQ(open_descriptors(), before_) << "descriptors at the end, and at the start";
    }

  private:
    std::vector<int> before_;
};

}  // namespace upcall::testing

/// Instantiates a suite derived from TestWithParam<std::string> for every driver of this host.
#define UPCALL_FOR_EVERY_LOOP(suite)                                                   \
    INSTANTIATE_TEST_SUITE_P(drivers, suite,                                           \
                             ::testing::ValuesIn(::upcall::testing::tested_kernels()), \
                             [](const auto& instance) { return std::string(instance.param); })
