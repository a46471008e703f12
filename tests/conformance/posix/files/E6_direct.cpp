#include <upcall/base/aligned_buffer.hpp>

#include "conformance/fixture.hpp"
#include "conformance/tasks.hpp"

namespace upcall::test {

TEST_P(every_form_with_files, E6_direct_transfers_are_aligned_or_refused_never_silently_buffered) {
    run([&]() -> task<> {
        auto opened = co_await file::open(scratch("direct"),
                                          open_read | open_write | open_create | open_direct);
        if (!opened) UPCALL_SKIP_IN_TASK("the file system of the temporary folder has no O_DIRECT");
        const auto asks = (co_await opened->status()).value();
        EXPECT_GT(asks.direct_memory_alignment, 0U);
        EXPECT_GT(asks.direct_offset_alignment, 0U);
        const std::size_t block = std::max<std::size_t>(4096, asks.direct_offset_alignment);
        aligned_buffer room(4 * block, std::max<std::size_t>(4096, asks.direct_memory_alignment));
        std::ranges::fill(room.span(), std::byte{'d'});
        EXPECT_EQ((co_await opened->write_at(byte_view(room.span()), 0)).value_or(0), 4 * block);
        EXPECT_EQ((co_await opened->read_at(room.span(), block)).value_or(0), 3 * block);
        auto odd_offset = co_await opened->read_at(room.span().first(block), 1);
        EXPECT_EQ(odd_offset.error(), std::errc::invalid_argument);
        auto odd_length = co_await opened->write_at(byte_view(room.span().first(block + 1)), 0);
        EXPECT_EQ(odd_length.error(), std::errc::invalid_argument);
        auto odd_memory = co_await opened->read_at(room.span().subspan(1, block), 0);
        if (asks.direct_memory_alignment > 1) {
            EXPECT_EQ(odd_memory.error(), std::errc::invalid_argument);
        }
    });
}

}  // namespace upcall::test
