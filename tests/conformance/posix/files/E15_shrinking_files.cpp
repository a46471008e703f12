#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form_with_files, E15_a_file_that_shrank_is_never_taken_for_whole) {
    run([&]() -> task<> {
        const std::string path = scratch("served");
        auto data = (co_await file::open(path, open_read | open_write | open_create)).value();
        EXPECT_TRUE(co_await data.write_all_at(bytes_of(counted_text(100'000)), 0));
        const std::uint64_t announced = (co_await data.status())->size;
        EXPECT_TRUE(co_await data.truncate(60'000));
        std::string room(announced, ' ');
        auto served = co_await data.read_exactly_at(bytes_in(room), 0);
        EXPECT_FALSE(served);
        EXPECT_EQ(served.cause, errc::end_of_stream);
        EXPECT_EQ(served.bytes, 60'000U);
    });
}

}  // namespace upcall::test
