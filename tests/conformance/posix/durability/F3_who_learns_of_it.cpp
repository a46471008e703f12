#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

// The kernel tells each descriptor that was open, once: so a writer learns of what was lost, even
// if somebody else asked first.
TEST_P(every_driver_with_files, F3_data_that_was_lost_is_told_to_all_who_had_the_file_open) {
    with_thin_disk([&](const std::string& folder) {
        run([&]() -> task<> {
            const std::string name = folder + "/log";
            auto log = (co_await ordered_writer::open(name, {.way = sync_way::sync_after})).value();
            auto other = (co_await file::open(name, open_write)).value();
            const raw_fd stranger(checked(::open(name.c_str(), O_RDONLY | O_CLOEXEC), "the log"));
            const std::string content = counted_text(20'000'000);
            CO_ASSERT(co_await log.append(bytes_of(content)));
            EXPECT_NE(::fsync(stranger.get()), 0);
            const auto first = co_await other.sync();
            EXPECT_FALSE(first);
            const auto synced = co_await log.sync();
            CO_ASSERT(!synced);
            EXPECT_NE(synced.error(), errc::not_durable) << "the disk's own words";
            EXPECT_EQ(log.broken(), errc::not_durable);
        });
    });
}

}  // namespace upcall::test
