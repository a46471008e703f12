#include <cstdint>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

namespace {

std::uintptr_t stack_top = 0;
std::uintptr_t stack_lowest = 0;

task<int> leaf(int value) {
    stack_lowest =
        std::min(stack_lowest, reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)));
    co_return value + 1;
}

task<int> nested(int depth) {
    stack_lowest =
        std::min(stack_lowest, reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)));
    if (depth == 0) co_return 0;
    co_return 1 + co_await nested(depth - 1);
}

}  // namespace

TEST_P(every_driver, K9_a_million_tasks_that_end_at_once_need_no_more_stack_than_one) {
    run([&]() -> task<> {
        stack_top = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
        stack_lowest = stack_top;
        int value = 0;
        while (value < 1'000'000) value = co_await leaf(value);
        EXPECT_LT(stack_top - stack_lowest, 4096U);
        EXPECT_EQ(co_await nested(100'000), 100'000);
        EXPECT_LT(stack_top - stack_lowest, 4096U) << "a hundred thousand that await one another";
    });
}

}  // namespace upcall::test
