#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_kernel_with_files, E1_reads_at_across_and_past_the_end_of_a_file) {
    run([&]() -> task<> {
        auto data =
            (co_await file::open(scratch("ten"), open_read | open_write | open_create)).value();
        EXPECT_TRUE(co_await data.write_all_at(bytes_of("0123456789"), 0));
        std::string room(8, '-');
        EXPECT_EQ((co_await data.read_at(bytes_in(room), 0)).value(), 8U);
        EXPECT_EQ(room, "01234567");
        EXPECT_EQ((co_await data.read_at(bytes_in(room), 7)).value(), 3U) << "across the end";
        EXPECT_EQ(room.substr(0, 3), "789");
        room.assign(8, '-');
        EXPECT_EQ((co_await data.read_at(bytes_in(room), 10)).value(), 0U) << "at the end";
        EXPECT_EQ((co_await data.read_at(bytes_in(room), 1'000'000)).value(), 0U) << "past the end";
        EXPECT_EQ(room, "--------") << "nothing was written where nothing was read";
        EXPECT_EQ((co_await data.read_at(byte_span(), 0)).value(), 0U);
        auto cut = co_await data.read_exactly_at(bytes_in(room), 5);
        EXPECT_EQ(cut.bytes, 5U);
        EXPECT_EQ(cut.cause, errc::end_of_stream);
        EXPECT_TRUE(co_await data.close());
    });
}

}  // namespace upcall::test
