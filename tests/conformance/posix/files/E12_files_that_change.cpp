#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form_with_files, E12_truncating_renaming_and_unlinking_leave_the_open_file_working) {
    run([&]() -> task<> {
        const std::string path = scratch("data");
        auto data = (co_await file::open(path, open_read | open_write | open_create)).value();
        const std::string content = counted_text(1'000'000);
        EXPECT_TRUE(co_await data.write_all_at(bytes_of(content), 0));
        std::string room(content.size(), '?');
        running reading(home(), data.read_exactly_at(bytes_in(room), 0));
        running cutting(home(), data.truncate(1000));
        co_await reading.ended();
        co_await cutting.ended();
        EXPECT_TRUE(cutting.outcome());
        EXPECT_GE(reading.outcome().bytes, 1000U);
        EXPECT_EQ(room.substr(0, 1000), content.substr(0, 1000));

        auto successor = (co_await file::open(scratch("new"), open_write | open_create)).value();
        EXPECT_TRUE(co_await successor.write_all_at(bytes_of("new"), 0));
        EXPECT_TRUE(co_await rename(scratch("new"), path));
        room.assign(1000, '?');
        EXPECT_TRUE(co_await data.read_exactly_at(bytes_in(room), 0));
        EXPECT_EQ(room, content.substr(0, 1000)) << "the old file, for who has it open";
        EXPECT_EQ((co_await status(path))->size, 3U);

        EXPECT_TRUE(co_await data.allocate(0, 100'000));
        EXPECT_EQ((co_await data.status())->size, 100'000U);
        EXPECT_TRUE(co_await remove_file(path));
        EXPECT_FALSE(co_await status(path));
    });
}

}  // namespace upcall::test
