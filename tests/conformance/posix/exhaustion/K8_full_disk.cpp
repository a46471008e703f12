#include "conformance/fixture.hpp"
#include "conformance/posix/file_systems.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver_with_files, K8_a_log_on_a_full_disk_says_so_and_goes_on_when_there_is_room) {
    const std::string folder = scratch("");
    in_child(
        [&] {
            run([&]() -> task<> {
                const std::string name = folder + "/log";
                CO_ASSERT(co_await atomic_replace(folder + "/ballast",
                                                  bytes_of(std::string(500'000, 'b'))));
                auto log = (co_await ordered_writer::open(name)).value();
                const std::string record = counted_text(10'000);
                std::uint64_t kept = 0;
                written added;
                while ((added = co_await log.commit(bytes_of(record)))) kept += added.bytes;
                EXPECT_EQ(added.cause, std::errc::no_space_on_device);
                EXPECT_GT(kept, 100'000U);
                const auto refused = co_await log.commit(bytes_of(record));
                CO_ASSERT(refused.cause);
                EXPECT_EQ(refused.cause, log.broken());
                const auto replaced =
                    co_await atomic_replace(folder + "/state", bytes_of(record + record));
                EXPECT_EQ(replaced.cause, std::errc::no_space_on_device);
                const auto entries = (co_await list_directory(folder)).value();
                EXPECT_EQ(entries.size(), 2U) << "the unfinished file is removed";
                EXPECT_TRUE(co_await remove_file(folder + "/ballast"));
                // What was cut short is cut off, and a new writer goes on behind what counts.
                auto torn = (co_await file::open(name, open_write)).value();
                EXPECT_TRUE(co_await torn.truncate(kept));
                log = (co_await ordered_writer::open(name)).value();
                EXPECT_EQ(log.end(), kept);
                EXPECT_TRUE(co_await log.commit(bytes_of(record)));
            });
        },
        [&]() -> std::string {
            std::string refused = enter_own_mounts();
            return refused.empty() ? mount_small(folder, "1m") : refused;
        });
}

}  // namespace upcall::test
