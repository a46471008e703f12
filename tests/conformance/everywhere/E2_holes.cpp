#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_kernel_with_files, E2_a_write_past_the_end_leaves_a_hole_of_zeros) {
    constexpr std::uint64_t far = 1'000'000;
    run([&]() -> task<> {
        auto data =
            (co_await file::open(scratch("hole"), open_read | open_write | open_create)).value();
        EXPECT_TRUE(co_await data.write_all_at(bytes_of("begin"), 0));
        EXPECT_TRUE(co_await data.write_all_at(bytes_of("end"), far));
        EXPECT_EQ((co_await data.status()).value().size, far + 3);
        std::string room(far + 3, '-');
        EXPECT_TRUE(co_await data.read_exactly_at(bytes_in(room), 0));
        EXPECT_TRUE(room == "begin" + std::string(far - 5, '\0') + "end");
        EXPECT_TRUE(co_await data.truncate(2));
        EXPECT_TRUE(co_await data.truncate(4));
        room.assign(8, '-');
        EXPECT_EQ((co_await data.read_at(bytes_in(room), 0)).value(), 4U);
        EXPECT_EQ(room.substr(0, 4), std::string("be\0\0", 4));
    });
}

}  // namespace upcall::test
