// Tests of the server in which allocations are made to fail, each after the last.
#pragma once

#include <upcall/base/recycler.hpp>

#include "support/counting_new.hpp"
#include "support/test_loop.hpp"

namespace upcall_serve {

/// Every block comes from operator new, which the test lets fail.
class short_of_memory : public upcall::testing::io_test {
  protected:
    void SetUp() override {
#ifdef UPCALL_TEST_SANITIZED
        GTEST_SKIP() << "the sanitizers' own operator new cannot be made to fail";
#endif
        io_test::SetUp();
        upcall::recycler_bypass(true);
    }
    void TearDown() override {
        upcall::recycler_bypass(false);
        if (!IsSkipped()) io_test::TearDown();
    }
};

}  // namespace upcall_serve
