#include "conformance/fixture.hpp"
#include "conformance/posix/stalling_files.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_driver_with_files, F7_an_error_of_close_is_told_and_the_descriptor_is_gone) {
    with_stalling_files([&](stalling_files& files, const std::string& path) {
        run([&]() -> task<> {
            const std::size_t open = open_descriptors();
            auto data = (co_await file::open(path, open_write)).value();
            EXPECT_TRUE(co_await data.write_all_at(bytes_of("lost"), 0));
            files.close_error = EDQUOT;
            auto closed = co_await data.close();
            CO_ASSERT(!closed);
            EXPECT_EQ(closed.error().value(), EDQUOT);
            EXPECT_FALSE(data);
            EXPECT_EQ(open_descriptors(), open);
        });
    });
}

}  // namespace upcall::test
