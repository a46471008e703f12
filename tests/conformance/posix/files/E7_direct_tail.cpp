#include <algorithm>

#include <upcall/base/aligned_buffer.hpp>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form_with_files, E7_the_tail_of_a_file_shorter_than_a_block_is_read_directly) {
    run([&]() -> task<> {
        const std::string path = scratch("tail");
        const std::string content = counted_text(10'000);
        {
            auto buffered = (co_await file::open(path, open_write | open_create)).value();
            EXPECT_TRUE(co_await buffered.write_all_at(bytes_of(content), 0));
        }
        auto direct = co_await file::open(path, open_read | open_direct);
        if (!direct) UPCALL_SKIP_IN_TASK("the file system of the temporary folder has no O_DIRECT");
        aligned_buffer room(16384, 4096);
        EXPECT_EQ((co_await direct->read_at(room.span(), 0)).value_or(0), content.size());
        EXPECT_EQ(text_of(room.span().first(content.size())), content);
        EXPECT_EQ((co_await direct->read_at(room.span(), 8192)).value_or(0), 10'000U - 8192U);
        EXPECT_EQ((co_await direct->read_at(room.span(), 12288)).value_or(1), 0U);
        auto whole = co_await direct->read_exactly_at(room.span(), 0);
        EXPECT_EQ(whole.cause, errc::end_of_stream);
        EXPECT_EQ(whole.bytes, content.size());
    });
}

}  // namespace upcall::test
