#include <upcall/base/recycler.hpp>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"
#include "support/counting_new.hpp"

namespace upcall::test {

namespace {

task<int> answer() { co_return 42; }

}  // namespace

TEST_P(every_driver, N5_a_task_without_memory_for_its_frame_throws_where_it_is_made) {
#ifdef UPCALL_TEST_SANITIZED
    UPCALL_SKIP("the sanitizers' own operator new cannot be made to fail");
#endif
    run([&]() -> task<> {
        bool thrown = false;
        recycler_bypass(true);
        try {
            const testing::failing_allocation next(1);
            task<int> never_made = answer();
        } catch (const std::bad_alloc&) {
            thrown = true;
        }
        recycler_bypass(false);
        EXPECT_TRUE(thrown);
        EXPECT_EQ(co_await answer(), 42);
    });
}

}  // namespace upcall::test
