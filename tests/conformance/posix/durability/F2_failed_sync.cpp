#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver_with_files, F2_data_that_the_disk_lost_is_reported_by_the_sync_after_it) {
    with_thin_disk([&](const std::string& folder) {
        run([&]() -> task<> {
            auto data =
                (co_await file::open(folder + "/data", open_read | open_write | open_create))
                    .value();
            EXPECT_TRUE(co_await data.sync());
            const std::string content = counted_text(20'000'000);
            auto taken = co_await data.write_all_at(bytes_of(content), 0);
            EXPECT_TRUE(taken) << "the file system believes that there is room";
            auto lost = co_await data.sync();
            CO_ASSERT(!lost);
            EXPECT_TRUE(lost.error() == std::errc::no_space_on_device ||
                        lost.error() == std::errc::io_error)
                << lost.error().message();
            // The kernel tells of a lost page once: the next sync may well succeed, which is
            // why file::sync says that trying again proves nothing.
            static_cast<void>(co_await data.sync());
            static_cast<void>(co_await data.close());
        });
    });
}

TEST_P(every_driver_with_files, F2_a_log_whose_data_the_disk_lost_is_failed_for_good) {
    with_thin_disk([&](const std::string& folder) {
        run([&]() -> task<> {
            auto log =
                (co_await ordered_writer::open(folder + "/log", {.way = sync_way::sync_after}))
                    .value();
            CO_ASSERT(co_await log.commit(bytes_of("kept")));
            const std::uint64_t durable = log.durable_mark();
            const std::string content = counted_text(20'000'000);
            const auto lost = co_await log.commit(bytes_of(content));
            CO_ASSERT(lost.cause);
            EXPECT_EQ(lost.bytes, content.size()) << "the file system believed in the room";
            EXPECT_TRUE(lost.cause == std::errc::no_space_on_device ||
                        lost.cause == std::errc::io_error)
                << lost.cause.message();
            for (int again = 0; again < 3; ++again) {
                const auto synced = co_await log.sync();
                EXPECT_EQ(synced.error(), errc::not_durable);
                const auto more = co_await log.commit(bytes_of("x"));
                EXPECT_EQ(more.cause, errc::not_durable);
                EXPECT_EQ(more.bytes, 0U);
            }
            EXPECT_EQ(log.durable_mark(), durable);
            const auto closed = co_await log.close();
            EXPECT_FALSE(closed);
        });
    });
}

}  // namespace upcall::test
