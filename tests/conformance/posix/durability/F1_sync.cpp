#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver_with_files, F1_syncing_succeeds_after_the_data_was_written) {
    run([&]() -> task<> {
        auto data =
            (co_await file::open(scratch("data"), open_read | open_write | open_create)).value();
        EXPECT_TRUE(co_await data.write_all_at(bytes_of(counted_text(100'000)), 0));
        EXPECT_TRUE(co_await data.sync_data());
        EXPECT_TRUE(co_await data.write_all_at(bytes_of("more"), 100'000));
        EXPECT_TRUE(co_await data.sync());
        auto folder = (co_await file::open(scratch(""), open_read | open_directory)).value();
        EXPECT_TRUE(co_await folder.sync()) << "the name is durable, too";
        auto durable = (co_await file::open(scratch("data"), open_write | open_durable)).value();
        EXPECT_TRUE(co_await durable.write_all_at(bytes_of("at once"), 0));
    });
}

}  // namespace upcall::test
