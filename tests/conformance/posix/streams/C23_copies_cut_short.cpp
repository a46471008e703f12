#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form_with_files, C23_a_copy_of_a_file_that_shrinks_ends_with_an_exact_count) {
    constexpr std::size_t size = 40'000'000;
    run([&]() -> task<> {
        auto from =
            (co_await file::open(scratch("from"), open_read | open_write | open_create)).value();
        auto to =
            (co_await file::open(scratch("to"), open_read | open_write | open_create)).value();
        EXPECT_TRUE(co_await from.write_all_at(bytes_of(counted_text(1000)), size - 1000));
        running copying(home(), copy(from, to));
        co_await turns(1);
        EXPECT_TRUE(co_await from.truncate(1000));
        co_await copying.ended();
        EXPECT_TRUE(copying.outcome());
        EXPECT_LE(copying.outcome().bytes, size);
        const auto made = (co_await to.status()).value();
        EXPECT_EQ(copying.outcome().bytes, made.size);
        auto past_the_end = co_await copy(from, to, 100, 5000);
        EXPECT_TRUE(past_the_end);
        EXPECT_EQ(past_the_end.bytes, 0U);
    });
}

}  // namespace upcall::test
