#include "conformance/fixture.hpp"
#include "conformance/posix/file_systems.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form_with_files, E9_a_full_disk_is_an_exact_count_and_passes_when_there_is_space) {
    const std::string folder = scratch("");
    in_child(
        [&] {
            run([&]() -> task<> {
                auto data =
                    (co_await file::open(folder + "/large", open_write | open_create)).value();
                const std::string content = counted_text(2'000'000);
                auto cut = co_await data.write_all_at(bytes_of(content), 0);
                EXPECT_EQ(cut.cause, std::errc::no_space_on_device);
                EXPECT_GT(cut.bytes, 500'000U);
                EXPECT_LE(cut.bytes, 1'048'576U);
                EXPECT_EQ((co_await data.status())->size, cut.bytes);
                EXPECT_TRUE(co_await data.truncate(0));
                EXPECT_TRUE(co_await data.write_all_at(bytes_of(content).first(500'000), 0));
                auto reserved = co_await data.allocate(0, 4'000'000);
                EXPECT_EQ(reserved.error(), std::errc::no_space_on_device);
                EXPECT_TRUE(co_await data.close());
            });
        },
        [&]() -> std::string {
            std::string refused = enter_own_mounts();
            return refused.empty() ? mount_small(folder, "1m") : refused;
        });
}

}  // namespace upcall::test
