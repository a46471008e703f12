#include <sys/stat.h>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form_with_files, E11_a_fifo_in_place_of_a_file_hangs_nobody) {
    run([&]() -> task<> {
        const std::string path = scratch("fifo");
        EXPECT_EQ(::mkfifo(path.c_str(), 0644), 0);
        auto refused = co_await file::open(path, open_read | open_regular);
        EXPECT_FALSE(refused);
        EXPECT_FALSE(co_await file::open("/dev/zero", open_read | open_regular));
        EXPECT_FALSE(co_await file::open(scratch(""), open_read | open_regular));
        EXPECT_EQ((co_await status(path))->type, file_type::fifo);
    });
}

}  // namespace upcall::test
