#include "conformance/fixture.hpp"
#include "conformance/posix/stalling_files.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver_with_files, F4_a_sync_is_asked_for_after_the_writes_that_were_awaited) {
    with_stalling_files([&](stalling_files& files, const std::string& path) {
        run([&]() -> task<> {
            auto data = (co_await file::open(path, open_write)).value();
            EXPECT_EQ(files.syncs, 0);
            EXPECT_TRUE(co_await data.write_all_at(bytes_of("first"), 0));
            EXPECT_TRUE(co_await data.sync());
            EXPECT_EQ(files.syncs, 1) << "each sync is one of the kernel's";
            files.sync_error = EIO;
            auto failed = co_await data.sync_data();
            EXPECT_EQ(failed.error(), std::errc::io_error);
            files.sync_error = 0;
            EXPECT_TRUE(co_await data.sync_data());
            EXPECT_EQ(files.syncs, 3) << "an error is not tried again behind the caller's back";
        });
    });
}

}  // namespace upcall::test
