#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form_with_files, E1_offsets_that_no_file_has_are_refused) {
    run([&]() -> task<> {
        auto data =
            (co_await file::open(scratch("data"), open_read | open_write | open_create)).value();
        EXPECT_TRUE(co_await data.write_all_at(bytes_of("0123456789"), 0));
        std::byte room[8];
        constexpr std::uint64_t last = (std::uint64_t{1} << 63) - 1;
        auto at_the_last = co_await data.read_at(room, last - sizeof room);
        if (at_the_last) {
            EXPECT_EQ(*at_the_last, 0U);
        } else {
            EXPECT_EQ(at_the_last.error(), std::errc::invalid_argument);
        }
        for (const std::uint64_t negative :
             {last + 1, ~std::uint64_t{0}, ~std::uint64_t{0} - 4096}) {
            auto read = co_await data.read_at(room, negative);
            CO_ASSERT(!read);
            EXPECT_EQ(read.error(), std::errc::invalid_argument) << negative;
            auto wrote = co_await data.write_at(byte_view(room), negative);
            CO_ASSERT(!wrote);
            EXPECT_EQ(wrote.error(), std::errc::invalid_argument) << negative;
        }
        EXPECT_EQ((co_await data.status())->size, 10U);
    });
}

}  // namespace upcall::test
