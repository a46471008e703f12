#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_kernel_with_files, F1_a_commit_is_written_in_order_and_synced) {
    run([&]() -> task<> {
        auto log = (co_await ordered_writer::open(scratch("log"))).value();
        const auto first = co_await log.append(bytes_of("first "));
        const auto second = co_await log.commit(bytes_of("second"));
        CO_ASSERT(first && second);
        EXPECT_EQ(second.offset, 6U);
        EXPECT_EQ(log.durable_mark(), second.mark);
        EXPECT_GT(second.mark, first.mark);
        EXPECT_TRUE(co_await log.sync());
        EXPECT_TRUE(co_await log.close());
        auto data = (co_await file::open(scratch("log"), open_read)).value();
        std::string text(12, '-');
        EXPECT_TRUE(co_await data.read_exactly_at(bytes_in(text), 0));
        EXPECT_EQ(text, "first second");
    });
}

}  // namespace upcall::test
