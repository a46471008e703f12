#include "conformance/fixture.hpp"
#include "conformance/posix/power_cut.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver_with_files,
       F9_a_file_system_that_becomes_read_only_ends_writing_and_not_reading) {
    with_mortal_disk([&](mortal_disk& disk) {
        run([&]() -> task<> {
            const std::string name = disk.path() + "/log";
            auto log = (co_await ordered_writer::open(name)).value();
            EXPECT_TRUE(co_await log.commit(bytes_of("kept")));
            EXPECT_TRUE(co_await atomic_replace(disk.path() + "/state", bytes_of("kept")));
            disk.become_read_only();
            const auto refused = co_await log.commit(bytes_of("lost"));
            CO_ASSERT(refused.cause);
            EXPECT_TRUE(refused.cause == std::errc::read_only_file_system ||
                        refused.cause == std::errc::io_error)
                << refused.cause.message();
            EXPECT_TRUE(log.broken()) << "the state is there to be asked for";
            const auto again = co_await log.commit(bytes_of("lost"));
            EXPECT_EQ(again.cause, log.broken());
            EXPECT_EQ(log.durable_mark(), 1U);
            const auto replaced = co_await atomic_replace(disk.path() + "/state", bytes_of("x"));
            EXPECT_TRUE(replaced.cause);
            EXPECT_FALSE(replaced.replaced);
            const auto anew = co_await ordered_writer::open(name);
            EXPECT_FALSE(anew);
            std::string text(4, '-');
            auto reader = (co_await file::open(name, open_read)).value();
            EXPECT_TRUE(co_await reader.read_exactly_at(bytes_in(text), 0));
            EXPECT_EQ(text, "kept");
        });
    });
}

}  // namespace upcall::test
