#include "conformance/fixture.hpp"
#include "conformance/posix/stalling_files.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {
namespace {

constexpr int committers = 64;

/// Commits once each; how many were told what `expected` says.
task<int> commit_together(ordered_writer& log, std::error_code expected) {
    int told = 0;
    co_await with_scope([&](scope& tasks) -> task<> {
        const auto commit = [](ordered_writer& to, std::error_code hope, int& count) -> task<> {
            const auto added = co_await to.commit(bytes_of("record"));
            EXPECT_EQ(added.bytes, 6U);
            if (added.cause == hope) ++count;
        };
        for (int count = 0; count < committers; ++count)
            tasks.spawn_now(commit(log, expected, told), "committer");
        co_return;
    });
    co_return told;
}

}  // namespace

TEST_P(every_driver_with_files, F5_one_sync_serves_all_who_wait_and_its_error_goes_to_all) {
    with_stalling_files([&](stalling_files& files, const std::string& path) {
        run([&]() -> task<> {
            auto opened = (co_await file::open(path, open_write)).value();
            auto log = ordered_writer::over(std::move(opened), 0).value();
            EXPECT_EQ(co_await commit_together(log, {}), committers);
            EXPECT_EQ(files.syncs, 1);
            EXPECT_EQ(log.durable_mark(), 64U);
            files.sync_error = EIO;
            const auto expected = std::make_error_code(std::errc::io_error);
            EXPECT_EQ(co_await commit_together(log, expected), committers);
            EXPECT_EQ(files.syncs, 2);
            files.sync_error = 0;
            const auto late = co_await log.commit(bytes_of("x"));
            EXPECT_EQ(late.cause, errc::not_durable);
            EXPECT_EQ(files.syncs, 2) << "a sync that works now would prove nothing";
            EXPECT_EQ(log.durable_mark(), 64U);
        });
    });
}

}  // namespace upcall::test
