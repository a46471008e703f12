#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form_with_files, E2_offsets_beyond_32_bits_and_a_terabyte_of_hole_are_right) {
    constexpr std::uint64_t far = std::uint64_t{1} << 40;
    run([&]() -> task<> {
        auto data =
            (co_await file::open(scratch("sparse"), open_read | open_write | open_create)).value();
        EXPECT_TRUE(co_await data.write_all_at(bytes_of("at five billion"), 5'000'000'000));
        EXPECT_TRUE(co_await data.write_all_at(bytes_of("at a terabyte"), far));
        EXPECT_EQ((co_await data.status())->size, far + 13);
        std::string got(19, 'x');
        EXPECT_TRUE(co_await data.read_exactly_at(bytes_in(got), 4'999'999'998));
        EXPECT_EQ(got, std::string("\0\0", 2) + "at five billion" + std::string("\0\0", 2));
        got.assign(13, 'x');
        EXPECT_TRUE(co_await data.read_exactly_at(bytes_in(got), far));
        EXPECT_EQ(got, "at a terabyte");
        EXPECT_TRUE(co_await data.truncate(1));
    });
}

}  // namespace upcall::test
