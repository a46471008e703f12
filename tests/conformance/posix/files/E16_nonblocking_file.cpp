#include "conformance/fixture.hpp"
#include "conformance/posix/raw.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form_with_files, E16_a_file_opened_to_never_wait_is_read_whole_all_the_same) {
    run([&]() -> task<> {
        const std::string path = scratch("data");
        const std::string content = counted_text(3'000'000);
        {
            auto data = (co_await file::open(path, open_write | open_create)).value();
            EXPECT_TRUE(co_await data.write_all_at(bytes_of(content), 0));
            EXPECT_TRUE(co_await data.sync());
        }
        raw_fd raw(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
        EXPECT_EQ(::posix_fadvise(raw.get(), 0, 0, POSIX_FADV_DONTNEED), 0);  // out of the cache
        auto data = file::adopt(raw.release()).value();
        std::string got(content.size(), ' ');
        auto read = co_await data.read_exactly_at(bytes_in(got), 0);
        EXPECT_TRUE(read) << read.cause.message();
        EXPECT_TRUE(got == content);
    });
}

}  // namespace upcall::test
