#include <filesystem>

#include "conformance/fixture.hpp"
#include "conformance/posix/file_systems.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver, F2_data_that_the_disk_lost_is_reported_by_the_sync_after_it) {
    const std::string below = scratch("below");
    const std::string folder = scratch("mounted");
    std::filesystem::create_directories(below);
    std::filesystem::create_directories(folder);
    in_child(
        [&] {
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
        },
        [&]() -> std::string {
            std::string refused = enter_own_mounts();
            return refused.empty() ? mount_thin_ext4(below, folder, "12m") : refused;
        });
}

}  // namespace upcall::test
